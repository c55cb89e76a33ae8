import { hash } from "node:crypto"
import type { Operation } from "../contract/operation.ts"
import { type JsonSchema, targetOf } from "../contract/schema.ts"
import { mapKeyword, OF_THE_DOCUMENT } from "../contract/schema-walk.ts"

/** What a caller can see of an operation; its name, its texts and its backend are not among it. */
export type Promised = Pick<Operation, "route" | "effect" | "repeat" | "status" | "isSilent" | "errors" | "input" | "output">

/** Enough to tell two contracts apart at a glance. */
export const HASH_SHOWN = 12

/**
 * SHA-256, in hexadecimal, of everything in a contract that callers depend on: route, effect, repeat, status, errors, the JSON Schemas of
 * input and output, and whether they travel as files or item by item. The same for the same promise: summaries, descriptions, examples,
 * the order of keys and the names of shared schemas do not count. Stored beside what was seen, kept or journaled under a contract, to know whether it still holds.
 */
export function contractHashOf({ route, effect, repeat, status, isSilent, errors, input, output }: Promised): string {
  const http = route && { verb: route.verb, pattern: route.pattern }
  const promise = {
    http,
    effect,
    repeat,
    status,
    isSilent,
    errors,
    input: canonicalSchema(input.json),
    output: canonicalSchema(output.json),
    // A file and a stream travel in another way than the JSON whose schema they share.
    takes: input.file ?? null,
    answers: output.file ?? (output.items ? "items" : null),
  }
  return hash("sha256", JSON.stringify(sorted(promise)))
}

/** They explain; nothing is taken or refused because of them. */
const TEXTS = new Set(["title", "description", "examples", "$comment", "deprecated"])
/** Lists whose order says nothing. */
const SETS = new Set(["required", "type", "enum"])

function canonicalSchema(root: JsonSchema): unknown {
  // References are written out where they are first met and numbered from then on: their names do not count, and recursion ends.
  const met = new Map<string, number>()
  const walk = (schema: JsonSchema): unknown => {
    const { $ref, ...beside } = schema
    const [target] = targetOf(schema, root)
    if ($ref === undefined || target === undefined) return keywords(schema)
    const known = met.get($ref)
    if (known !== undefined) return { met: known, beside: keywords(beside) }
    met.set($ref, met.size)
    return { is: walk(target), beside: keywords(beside) }
  }
  const keywords = (schema: JsonSchema): unknown =>
    Object.fromEntries(
      byKey(schema)
        .filter(([keyword]) => !TEXTS.has(keyword) && !OF_THE_DOCUMENT.has(keyword))
        .map(([keyword, value]) => [keyword, SETS.has(keyword) ? asSet(value) : mapKeyword(keyword, inOrder(value), walk)]),
    )
  return walk(root)
}

/** Fields in the order of their names, so that references are met in the same order. */
function inOrder(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(byKey(value)) : value
}

function asSet(value: unknown): unknown {
  return Array.isArray(value) ? value.map((one) => JSON.stringify(sorted(one))).sort() : value
}

/** The same JSON with all keys in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(byKey(value).map(([key, inner]) => [key, sorted(inner)]))
}

function byKey(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
