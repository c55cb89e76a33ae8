import { assert } from "../../base/assert.ts"
import type { StoreResult } from "../../contract/store.ts"
import type { Answered, Asked } from "./question.ts"
import { INT8, NULL } from "./store-texts.ts"
import { textList } from "./values.ts"

/** So many characters go into one statement: a list, too, is one value, which the server takes up to 1 GB. */
const LENGTH_MAX = 1_048_576
const INT8_LIST = 1016
const TEXT_LIST = 1009
const NOTHING: StoreResult = { rows: [], changes: 0 }

/** A statement of a store on its way to the server. */
export interface StoreAsked extends Asked {
  /** As `StoreStatement.rowId`. */
  readonly rowId?: string | undefined
}

/**
 * Statements that follow each other and are sent as one: of the same text, with values of the same types, each about a row of its own. It
 * takes their values as lists.
 */
export class Fold {
  readonly #statements: [StoreAsked, ...StoreAsked[]]
  readonly #rowIds = new Set<string>()
  #length: number

  constructor(first: StoreAsked) {
    this.#statements = [first]
    if (first.rowId !== undefined) this.#rowIds.add(first.rowId)
    this.#length = lengthOf(first)
  }

  /** Whether it goes with those that are here: if so, it is here now. */
  takes(statement: StoreAsked): boolean {
    const { name, rowId } = statement
    const [first] = this.#statements
    if (first.rowId === undefined || rowId === undefined || name !== first.name || this.#rowIds.has(rowId)) return false
    const length = this.#length + lengthOf(statement)
    if (length > LENGTH_MAX) return false
    this.#statements.push(statement)
    this.#rowIds.add(rowId)
    this.#length = length
    return true
  }

  asked(texts: RowTexts): Asked {
    const [first] = this.#statements
    if (this.#statements.length === 1) return first
    const { name, types = [] } = first
    const listed = types.flatMap((type, i) => (type === NULL ? [] : [i]))
    return {
      text: texts.of(first),
      name: `${name}_rows`,
      types: listed.map((i) => (types[i] === INT8 ? INT8_LIST : TEXT_LIST)),
      values: listed.map((i) => this.#list(i, types[i]!)),
    }
  }

  #list(column: number, type: number): string | Uint8Array {
    const values = this.#statements.map((statement) => statement.values[column])
    return type === INT8 ? `{${values.join(",")}}` : textList(values as string[])
  }

  /** To each statement what it would have been answered alone. */
  answers(answer: Answered): readonly StoreResult[] {
    const [first] = this.#statements
    if (this.#statements.length === 1) return [answer]
    const givesRows = RETURNING.test(first.text)
    const byRow = new Map(answer.rows.map(({ row_id, ...row }) => [row_id, { rows: givesRows ? [row] : [], changes: 1 }]))
    return this.#statements.map(({ rowId }) => byRow.get(rowId) ?? NOTHING)
  }
}

export function foldsOf(statements: readonly StoreAsked[]): readonly Fold[] {
  const folds: Fold[] = []
  for (const statement of statements) if (!folds.at(-1)?.takes(statement)) folds.push(new Fold(statement))
  return folds
}

function lengthOf({ values }: StoreAsked): number {
  let length = 0
  for (const value of values) if (typeof value === "string") length += value.length
  return length
}

const TABLE = /^(?:insert into|update|delete from) (\w+)/
const VALUES = /\bvalues \((.+)\)(?=\s+on conflict|\s+returning|$)/s
const WHERE = /\s+where\s/
const RETURNING = /\sreturning\s/

/** The texts over lists of rows, each written once. */
export class RowTexts {
  readonly #known = new Map<string, string>()

  of({ text, name, types = [] }: StoreAsked): string {
    const known = this.#known.get(name!) ?? overRows(text, types)
    this.#known.set(name!, known)
    return known
  }
}

/**
 * The text over a list of rows. What is null in all of them has no type, and so no list. Each list is asked by a `select` of its own, so that
 * the server plans for no number of rows in particular, and that once.
 */
function overRows(text: string, types: readonly number[]): string {
  const names = types.flatMap((type, i) => (type === NULL ? [] : [`v${i + 1}`]))
  const given = `unnest(${names.map((_, i) => `(select $${i + 1})`).join(", ")}) as given (${names.join(", ")})`
  const table = TABLE.exec(text)?.[1]
  assert(table, "a statement about a row inserts into, updates or deletes from a table")
  const ofRow = text.replace(/\$(\d+)/g, (_, number) => (types[number - 1] === NULL ? "null" : `given.v${number}`))
  const ofRows = text.startsWith("insert")
    ? ofRow.replace(VALUES, (_, row) => `select ${row} from ${given}`)
    : ofRow.replace(WHERE, ` ${text.startsWith("update") ? "from" : "using"} ${given} where `)
  return `${ofRows}${RETURNING.test(text) ? "," : " returning"} ${table}.id as row_id`
}
