import { showDuration } from "../../base/duration.ts"
import type { Operation } from "../../contract/operation.ts"
import { keyKeptMs } from "../../contract/repeatable.ts"
import type { Common } from "../../errors/catalog.ts"

/** What an idempotency key adds to the description of an operation; all of it empty for those that take none. */
export interface Keys {
  readonly parameters: readonly object[]
  /** Of the success. */
  readonly headers: Readonly<Record<string, object>>
  readonly codes: readonly Common[]
}

const KEY = {
  name: "Idempotency-Key",
  in: "header",
  schema: { type: "string", minLength: 1, maxLength: 255 },
  example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}
const REPLAYED = { description: "The answer was given to an earlier call with the same key.", schema: { const: "true" } }
const NONE: Keys = { parameters: [], headers: {}, codes: [] }

/** Source: draft-ietf-httpapi-idempotency-key-header-07. */
export function keysOf({ repeat, declaration }: Operation): Keys {
  if (repeat !== "key") return NONE
  const kept = showDuration(keyKeptMs(declaration))
  const description = `Names one intent: calls with the same key have their effect once, and the same answer for ${kept}. A string in quotes, or bare; a UUID will do. Without it each call stands for itself.`
  return {
    parameters: [{ ...KEY, description }],
    headers: { "Idempotent-Replayed": REPLAYED },
    codes: ["CONFLICT", "KEY_IN_USE", "KEY_REUSED"],
  }
}
