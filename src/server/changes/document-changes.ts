import type { JsonSchema } from "../../contract/schema.ts"
import { type Change, change } from "./change-rules.ts"
import { type DocumentOperation, operationsOf } from "./document-operations.ts"
import { inputChanges } from "./input-changes.ts"
import { outputChanges } from "./output-changes.ts"

/** The documents that `$ref` leads into. */
export interface Documents {
  readonly before: JsonSchema
  readonly after: JsonSchema
}

/**
 * What has changed between an earlier OpenAPI document and the present one, and whether it breaks who was built against the earlier one,
 * over HTTP or with the typed client. Breaking ones first.
 *
 * An operation that moved to another path is the same one where `was` says so. One that was removed after its announced end breaks
 * nobody. Understands what Trestle emits; of a document made by other tools, what they share with it.
 *
 * @param epoch now, in milliseconds since 1970
 */
export function documentChanges(before: unknown, after: unknown, epoch: number): readonly Change[] {
  const documents = { before: before as JsonSchema, after: after as JsonSchema }
  const earlier = operationsOf(before)
  const present = operationsOf(after)
  const taken = new Set<DocumentOperation>()
  const changes: Change[] = []
  for (const old of earlier) {
    const now = counterpartOf(old, present, earlier)
    if (now) taken.add(now)
    changes.push(...(now ? operationChanges(old, now, documents) : [removed(old, epoch)]))
  }
  for (const now of present) if (!taken.has(now)) changes.push(change("operation-added", now.id, "", "", now.route))
  return changes.sort((a, b) => Number(a.is !== "breaking") - Number(b.is !== "breaking"))
}

/** By its path, by a path it once had, or else by its route. */
function counterpartOf(
  old: DocumentOperation,
  present: readonly DocumentOperation[],
  earlier: readonly DocumentOperation[],
): DocumentOperation | undefined {
  const byName = present.find(({ id }) => id === old.id) ?? present.find(({ was }) => was.includes(old.id))
  if (byName) return byName
  return present.find(({ route, id, was }) => route === old.route && !earlier.some((one) => one.id === id || was.includes(one.id)))
}

function removed({ id, route, sunset }: DocumentOperation, epoch: number): Change {
  return change(sunset !== null && sunset <= epoch ? "operation-ended" : "operation-removed", id, "", route, "absent")
}

function operationChanges(old: DocumentOperation, now: DocumentOperation, documents: Documents): readonly Change[] {
  const { id } = old
  const changes: Change[] = []
  if (now.id !== id) changes.push(change(now.was.includes(id) ? "operation-moved" : "operation-renamed", id, "", id, now.id))
  if (now.route !== old.route) changes.push(change("route-changed", id, "", old.route, now.route))
  if (now.isDeprecated && !old.isDeprecated) changes.push(change("operation-deprecated", id, "", "", "deprecated"))
  if (isWithdrawn(old.repeat, now.repeat)) changes.push(change("repeat-withdrawn", id, "", String(old.repeat), String(now.repeat)))
  if (old.effect === "read" && now.effect === "write") changes.push(change("became-write", id, "", "read", "write"))
  return [...changes, ...credentialChanges(old, now), ...inputChanges(old, now, documents), ...outputChanges(old, now, documents)]
}

/** What may be repeated under a key alone is less than what may always be. */
const REPEATS: readonly unknown[] = ["none", "key", "natural"]

function isWithdrawn(before: unknown, after: unknown): boolean {
  return REPEATS.indexOf(after) !== -1 && REPEATS.indexOf(after) < REPEATS.indexOf(before)
}

function credentialChanges({ id, credentials: before }: DocumentOperation, { credentials: after }: DocumentOperation): readonly Change[] {
  const texts = [before.join(" or ") || "none", after.join(" or ") || "none"] as const
  const isTaken = after.length === 0 || (before.length > 0 && before.every((one) => after.includes(one)))
  if (!isTaken) return [change("auth-tightened", id, "credential", ...texts)]
  return before.length === after.length ? [] : [change("auth-loosened", id, "credential", ...texts)]
}
