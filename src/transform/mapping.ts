import { callerPlace, type SourcePlace } from "../base/source-place.ts"
import { MappingError, type MappingFunction, type RepairReport } from "../contract/mapping.ts"
import type { In, Std } from "../contract/schema.ts"
import type { Converter } from "./converter.ts"
import type { Fields, OneWay } from "./fields.ts"
import { ListPart } from "./list.ts"
import type { Part } from "./part.ts"
import { Pass, STRICT } from "./pass.ts"
import { RecordPart } from "./record.ts"

/** Theirs to ours: as the `map` of a call, where the contract's `drift` and the call's report hold, or alone, and then strictly. */
export interface Read<T> extends MappingFunction {
  /** Within `code()`: under the drift of the operation, and into its report. @throws {MappingError} */
  (theirs: unknown, ctx: RepairReport): T
  /** @throws {MappingError} */
  (theirs: unknown): T
}

/** Ours to theirs, strictly: what is written is read back as the same. @throws {MappingError} */
export type Write<T> = MappingFunction & ((ours: T) => Record<string, unknown>)

/** In the place of `write`, where a field goes one way only. */
export interface CannotBeWritten<Fields extends PropertyKey> {
  readonly "~these fields go one way only": Fields
}

/** @typeParam X fields that go one way only. */
export interface Mapping<T, X extends PropertyKey = never> extends Converter<T, [X] extends [never] ? "both" : "read"> {
  readonly read: Read<T>
  /** The same for a list of records. */
  readonly readAll: Read<T[]>
  readonly write: [X] extends [never] ? Write<T> : CannotBeWritten<X>
  readonly "~schema": Std<any, any>
}

/** A key that ours does not have. */
type NoSuchField<F, T> = { readonly [K in Exclude<keyof F, keyof T>]: "the schema has no such field" }

/**
 * Declares how each field of `schema` comes from a record of theirs. It is checked field by field, by the compiler and again with each
 * record; what ours does not name is ignored. Give no `response` beside it: the mapping itself says what it takes.
 *
 * Guarantees that a result has every field as declared, that nothing is guessed, that all fields which are wrong are named at once, and
 * that `read(write(ours))` is `ours`. Does not check the rules of `schema` beyond its types: the contract's output does.
 */
export function mapping<S extends Std<any, any>, F extends Fields<In<S>>>(
  schema: S,
  fields: F & NoSuchField<F, In<S>>,
): Mapping<In<S>, OneWay<F>> {
  const at = callerPlace(mapping)
  const record = new RecordPart(fields as never)
  return {
    read: runner(record, "read", at),
    readAll: runner(new ListPart(record), "read", at),
    write: runner(record, "write", at),
    "~part": record,
    "~schema": schema,
  } as unknown as Mapping<In<S>, OneWay<F>>
}

function runner(part: Part, direction: "read" | "write", at: SourcePlace | null): MappingFunction {
  const { mistakes } = part
  const run = (value: unknown, report: RepairReport): unknown => {
    if (mistakes.length > 0) throw new MappingError(mistakes)
    return passed(part, direction, value, report)
  }
  // The second argument may be anything where it stands as a plain function: an input, an index.
  const f = (value: unknown, second?: unknown): unknown => run(value, direction === "read" && isReport(second) ? second : STRICT)
  const inverse = direction === "read" && part.isReversible ? (value: unknown) => passed(part, "write", value, STRICT) : undefined
  const face = { run: direction === "read" ? run : (value: unknown) => run(value, STRICT), mistakes, at, ...(inverse ? { inverse } : {}) }
  return Object.assign(f, { "~mapping": face })
}

function passed(part: Part, direction: "read" | "write", value: unknown, report: RepairReport): unknown {
  const pass = new Pass(direction, report)
  const mapped = part[direction](value, pass)
  pass.end()
  return mapped
}

/** No input has functions: it came as JSON. */
function isReport(value: unknown): value is RepairReport {
  return typeof value === "object" && value !== null && typeof (value as Partial<RepairReport>).noteRepair === "function"
}
