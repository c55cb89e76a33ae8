import { hash } from "node:crypto"
import { canonical } from "../../base/canonical.ts"

/** Alike for what a step is asked with and what it is asked with again, after its parts have been through the journal. */
export function fingerprint(input: unknown): string {
  return hash("sha256", canonical(asSent(input)) ?? "?").slice(0, 16)
}

/** A field that is `undefined` and one that is not there are the same once they have been written down. */
function asSent(input: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(input) ?? "null")
  } catch {
    return input
  }
}
