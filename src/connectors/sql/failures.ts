import type { KnownFailure, Site } from "../../contract/backend.ts"
import { failure } from "../../contract/failure.ts"
import { afterRollback } from "../../contract/sql-session.ts"
import type { Reason } from "../../errors/reasons.ts"
import type { TrestleError } from "../../errors/trestle-error.ts"

/** What can become of a statement or a transaction, as `trestle explain` plays it. */
const FAILURES: readonly { readonly name: string; readonly reason: Reason; readonly of: "both" | "write" }[] = [
  { name: "is held by another writer", reason: "busy", of: "both" },
  { name: "fails in the statement", reason: "refused-by-service", of: "both" },
  { name: "loses its commit", reason: "server-error", of: "write" },
  { name: "answers with what does not fit", reason: "output-misfit", of: "both" },
]

/** The ways in which a SQL database can fail one of its statements. */
export function sqlFailures({ effect }: Pick<Site, "effect">): KnownFailure[] {
  const ours = FAILURES.filter(({ of }) => of === "both" || of === effect)
  // Before the commit everything can still be undone, and is.
  return ours.map(({ name, reason, of }) => ({
    name,
    isSent: of === "write",
    error: () =>
      of === "write" ? failure(reason, effect) : (afterRollback(failure(reason, effect), effect, "the database") as TrestleError),
  }))
}
