import { isDeepStrictEqual } from "node:util"
import { type Drift, MappingError } from "../contract/mapping.ts"
import type { Mapping } from "../transform/mapping.ts"
import { TestFailure } from "./test-failure.ts"

/** One row of a table: a record of theirs, and what must become of it. */
export interface MappingRow<T> {
  /** Default: its place in the table. */
  readonly name?: string
  readonly theirs: unknown
  /** As in the contract of the operation. Default `"strict"`. */
  readonly drift?: Drift
  /** What it is on our side. */
  readonly ours?: T
  /** Or: it is refused, and each of these texts is in the sentences of the refusal, which name both fields. */
  readonly refused?: string | readonly string[]
  /** What is told of repairs, in their order. Default: nothing is repaired. */
  readonly repaired?: readonly string[]
}

/** One test: its name, and how to run it. Throws when the row does not hold. */
export interface MappingCase {
  readonly name: string
  run(): void
}

/**
 * One test for each row of a table: what is mapped fits the schema and is as stated, what is refused names its fields. Where the mapping has
 * `write`, ours is written and read again, and must be the same.
 *
 *     for (const { name, run } of mappingCases(person, [{ theirs: { ... }, ours: { ... } }])) test(name, run)
 */
export function mappingCases<T, X extends PropertyKey>(mapping: Mapping<T, X>, rows: readonly MappingRow<T>[]): readonly MappingCase[] {
  const part = mapping["~part"]
  return rows.map((row, i) => ({
    name: `${row.name ?? `row ${i + 1}`}: ${row.refused === undefined ? "mapped" : "refused"}${row.repaired ? ", and repaired" : ""}`,
    run: () => {
      const repairs: string[] = []
      const seen = readBy(mapping, row, repairs)
      if (row.refused !== undefined) return expectRefused(seen, [row.refused].flat())
      if ("problems" in seen) throw new TestFailure(`it was refused: ${seen.problems.join("; ")}`)
      expectSame("it was mapped", seen.value, row.ours)
      expectSame("it was repaired", repairs, row.repaired ?? [])
      expectFit(mapping, seen.value)
      if (part.isReversible)
        expectSame("written and read again it is", mapping.read((mapping.write as (ours: T) => unknown)(seen.value)), seen.value)
    },
  }))
}

type Seen<T> = { readonly value: T } | { readonly problems: readonly string[] }

function readBy<T, X extends PropertyKey>(mapping: Mapping<T, X>, { theirs, drift = "strict" }: MappingRow<T>, repairs: string[]): Seen<T> {
  try {
    return { value: mapping.read(theirs, { drift, noteRepair: (what) => void repairs.push(what) }) }
  } catch (error) {
    if (MappingError.is(error)) return { problems: error.problems }
    throw error
  }
}

function expectRefused<T>(seen: Seen<T>, texts: readonly string[]): void {
  if ("value" in seen) throw new TestFailure(`it was mapped: ${JSON.stringify(seen.value)}`)
  for (const text of texts) {
    if (!seen.problems.some((problem) => problem.includes(text)))
      throw new TestFailure(`no sentence says "${text}"; it was refused with: ${seen.problems.join("; ")}`)
  }
}

function expectSame(what: string, is: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(is, wanted)) throw new TestFailure(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`)
}

/** The types do not see a length or a pattern; the contract's output would refuse it in the call. */
function expectFit<T, X extends PropertyKey>(mapping: Mapping<T, X>, value: T): void {
  const result = mapping["~schema"]["~standard"].validate(value)
  if (result instanceof Promise || !result.issues) return
  throw new TestFailure(`it does not fit the schema: ${result.issues.map((issue: { message: string }) => issue.message).join("; ")}`)
}
