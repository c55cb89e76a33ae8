import { type Change, type ChangeRule, change } from "./change-rules.ts"
import type { Documents } from "./document-changes.ts"
import type { DocumentField, DocumentOperation } from "./document-operations.ts"
import { type Difference, type DifferenceKind, schemaDifferences } from "./schema-differences.ts"

/** A caller built against the earlier document sends what it always sent: all of that must still be taken. */
const BREAKS: Readonly<Record<DifferenceKind, ChangeRule>> = {
  "missing-required": "input-required",
  "missing-optional": "input-added",
  optional: "input-required",
  extra: "input-removed",
  type: "input-type",
  values: "input-values",
  limit: "input-limit",
  other: "input-form",
}

export function inputChanges(old: DocumentOperation, now: DocumentOperation, documents: Documents): readonly Change[] {
  return [...parameterChanges(old, now, documents), ...bodyChanges(old, now, documents)]
}

function parameterChanges(old: DocumentOperation, now: DocumentOperation, documents: Documents): Change[] {
  const changes: Change[] = []
  for (const [place, before] of old.parameters) {
    const after = now.parameters.get(place)
    if (after) changes.push(...fieldChanges(old.id, place, [before, after], documents))
    else changes.push(lost(old.id, place, now))
  }
  for (const [place, { isRequired }] of now.parameters) {
    if (old.parameters.has(place)) continue
    changes.push(change(isRequired ? "input-required" : "input-added", old.id, place, "absent", isRequired ? "required" : "optional"))
  }
  return changes
}

/** Where the field went, if it is still taken somewhere else. */
function lost(id: string, place: string, now: DocumentOperation): Change {
  const name = place.slice(place.indexOf(".") + 1)
  const elsewhere = [...now.parameters.keys()].find((other) => other.slice(other.indexOf(".") + 1) === name)
  return elsewhere ? change("input-moved", id, place, place, elsewhere) : change("input-removed", id, place, "taken", "refused")
}

function fieldChanges(id: string, place: string, [before, after]: readonly [DocumentField, DocumentField], documents: Documents): Change[] {
  const changes = contentChanges(id, place, [before.schema, after.schema], documents)
  if (after.isRequired && !before.isRequired) changes.push(change("input-required", id, place, "optional", "required"))
  if (before.isRequired && !after.isRequired) changes.push(change("input-widened", id, place, "required", "optional"))
  return changes
}

function bodyChanges({ id, body: before }: DocumentOperation, { body: after }: DocumentOperation, documents: Documents): Change[] {
  if (!before && !after) return []
  if (!before)
    return [change(after!.isRequired ? "input-required" : "input-added", id, "body", "absent", after!.isRequired ? "required" : "optional")]
  if (!after) return [change("input-removed", id, "body", "taken", "refused")]
  const changes: Change[] = []
  if (after.isRequired && !before.isRequired) changes.push(change("input-required", id, "body", "optional", "required"))
  for (const [type, schema] of before.byType) {
    if (after.byType.has(type)) changes.push(...contentChanges(id, "body", [schema, after.byType.get(type)], documents))
    else changes.push(change("input-media-type-removed", id, "body", type, [...after.byType.keys()].join(", ")))
  }
  for (const type of after.byType.keys()) if (!before.byType.has(type)) changes.push(change("input-widened", id, "body", "", type))
  return changes
}

function contentChanges(id: string, place: string, [before, after]: readonly [unknown, unknown], documents: Documents): Change[] {
  const asBefore = schemaDifferences(before, after, { subRoot: documents.before, supRoot: documents.after })
  const more = schemaDifferences(after, before, { subRoot: documents.after, supRoot: documents.before })
  const broken = new Set(asBefore.map(({ path }) => path))
  return [
    ...asBefore.map(({ kind, path, sub, sup }) => change(BREAKS[kind], id, at(place, path), sub, sup)),
    // What only the other direction tells: the present document takes more.
    ...more
      .filter((one) => isWider(one) && !broken.has(one.path))
      .map(({ path, sub, sup }) => change("input-widened", id, at(place, path), sup, sub)),
  ]
}

/** Fields that came or went were told by the first direction. */
function isWider({ kind }: Difference): boolean {
  return kind !== "extra" && kind !== "missing-required" && kind !== "missing-optional"
}

export function at(place: string, path: string): string {
  return path === "" || /^[[{]/.test(path) ? place + path : `${place}.${path}`
}
