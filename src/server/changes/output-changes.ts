import { type Change, type ChangeRule, change } from "./change-rules.ts"
import type { Documents } from "./document-changes.ts"
import type { DocumentOperation } from "./document-operations.ts"
import { at } from "./input-changes.ts"
import { type Difference, type DifferenceKind, schemaDifferences } from "./schema-differences.ts"

/** A caller built against the earlier document expects what it promised: nothing else may come, save fields it does not know. */
const BREAKS: Readonly<Record<DifferenceKind, ChangeRule>> = {
  "missing-required": "output-removed",
  "missing-optional": "output-removed",
  optional: "output-optional",
  extra: "output-added",
  type: "output-type",
  values: "output-values",
  limit: "output-limit",
  other: "output-form",
}

export function outputChanges(old: DocumentOperation, now: DocumentOperation, documents: Documents): readonly Change[] {
  const { id } = old
  const changes: Change[] = []
  if (old.status !== now.status) changes.push(change("status-changed", id, "output", old.status, now.status))
  for (const [type, schema] of old.output) {
    if (now.output.has(type)) changes.push(...contentChanges(id, [schema, now.output.get(type)], documents))
    else changes.push(change("output-media-type-removed", id, "output", type, [...now.output.keys()].join(", ") || "nothing"))
  }
  return [...changes, ...errorChanges(old, now)]
}

function contentChanges(id: string, [before, after]: readonly [unknown, unknown], documents: Documents): Change[] {
  const asBefore = schemaDifferences(after, before, { subRoot: documents.after, supRoot: documents.before })
  const more = schemaDifferences(before, after, { subRoot: documents.before, supRoot: documents.after })
  const told = new Set(asBefore.map(({ path }) => path))
  return [
    ...asBefore.map(({ kind, path, sub, sup }) => change(BREAKS[kind], id, at("output", path), sup, sub)),
    ...more
      .filter((one) => isNarrower(one) && !told.has(one.path))
      .map(({ path, sub, sup }) => change("output-narrowed", id, at("output", path), sub, sup)),
  ]
}

function isNarrower({ kind }: Difference): boolean {
  return kind !== "extra" && kind !== "missing-required" && kind !== "missing-optional"
}

/** Codes may come and go, for callers must reckon with those they do not know; the status of one that they know must stay. */
function errorChanges({ id, errors: before }: DocumentOperation, { errors: after }: DocumentOperation): Change[] {
  const changes: Change[] = []
  for (const [code, status] of before) {
    const now = after.get(code)
    if (now === undefined) changes.push(change("error-removed", id, code, status, "absent"))
    else if (now !== status) changes.push(change("error-status-changed", id, code, status, now))
  }
  for (const [code, status] of after) if (!before.has(code)) changes.push(change("error-added", id, code, "absent", status))
  return changes
}
