import { failure } from "../contract/failure.ts"
import type { Operation } from "../contract/operation.ts"
import { type Issue, issuesText, type TrestleError } from "../errors/trestle-error.ts"

const ISSUES_SHOWN_MAX = 5

/** What a backend gave is not what the contract promises. Callers never hear what is wrong with it: that is for the operator. */
export function outputMisfit({ path, effect }: Operation, what: string, issues: readonly Issue[]): TrestleError {
  const said = issuesText(issues.slice(0, ISSUES_SHOWN_MAX))
  return failure("output-misfit", effect, { note: `${what} does not fit the output of ${path}: ${said}` })
}
