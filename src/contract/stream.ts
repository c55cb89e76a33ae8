import { type Direction, type In, type JsonSchema, jsonSchemaOf, type Out, type Std } from "./schema.ts"

/** Many values, one after the other. */
export interface StreamSchema<I, O> extends Std<AsyncIterable<I> | Iterable<I>, AsyncIterable<O>> {
  readonly "~items": Std<I, O>
  readonly "~answer": Std<AsyncIterable<I> | Iterable<I>, AsyncIterable<O>>
}

/**
 * An output of many items, sent one by one as they are made, in constant memory. The backend answers anything iterable; each item is
 * checked against `item` before it leaves. Over HTTP one line of JSON each (`application/x-ndjson`), or server-sent events for who asks
 * for `text/event-stream`. Callers get an `AsyncIterable`. The first item is awaited before the answer begins, so what fails until then is
 * an error like any other; what fails later ends the answer in a way that cannot be taken for its end.
 */
export function stream<S extends Std<any, any>>(item: S): StreamSchema<In<S>, Out<S>> {
  const json = (side: Direction): JsonSchema => {
    const found = jsonSchemaOf(item, side)
    if ("why" in found) throw new TypeError(found.why)
    const { $defs, ...items } = found.json
    return { type: "array", items, ...($defs ? { $defs } : {}) }
  }
  const schema = {
    "~items": item,
    "~standard": {
      version: 1 as const,
      vendor: "trestle",
      validate: (value: unknown) => (isItems(value) ? { value } : { issues: [{ message: "must be iterable, and no text" }] }),
      jsonSchema: { input: () => json("input"), output: () => json("output") },
    },
  }
  return { ...schema, "~answer": schema }
}

function isItems(value: unknown): boolean {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
}
