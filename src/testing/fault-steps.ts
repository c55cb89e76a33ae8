import { FAILURE, type JournalEntry, labelOfStep, nameOfStep, UNDO } from "../contract/journal.ts"
import type { Operation } from "../contract/operation.ts"
import { isDecidedByAnotherRun } from "../contract/repeatable.ts"
import { whatOf } from "../durable/job-steps.ts"
import type { Played } from "./fault-stage.ts"

/** How a flow has ended, or where it stands: the step that decided it, and what became of those before. */
export interface FlowTold {
  /** The step that has failed, or of which nobody knows whether it has happened; `null`: none. */
  readonly step: string | null
  /** What is to be said of it, for people; `null` where all went well. */
  readonly what: string | null
  /** Steps that were taken back, or are being, the last first. */
  readonly undone: readonly string[]
  /** The first step that is done and stays, although the flow has failed; `null`: none. */
  readonly stays: string | null
}

/** `null` for what is no flow, or has begun no step. */
export function flowTold({ flow, record }: Played, operations: readonly Operation[]): FlowTold | null {
  if (flow === null || flow.entries.size === 0) return null
  const steps = [...flow.entries.values()].filter(({ key }) => key !== FAILURE && !key.startsWith(UNDO))
  const undone = [...flow.undone].map((key) => shownStep(flow.entries.get(key) ?? { key, what: "" }))
  const { error } = record
  const isFailed = error !== null && error.outcome !== "unknown"
  const stays = isFailed ? steps.find((step) => isEffect(step, operations) && !flow.undone.has(step.key)) : undefined
  const unknown = steps.find(({ state }) => state === "begun")
  const decisive = unknown ?? steps.findLast(({ state }) => state === "failed")
  const step = decisive === undefined ? null : shownStep(decisive)
  const what = unknown ? undecidedText(unknown, operations) : failedText(step, { undone, isFailed, isOver: isFailed || error === null })
  return { step, what, undone, stays: stays ? shownStep(stays) : null }
}

/** What it has done is to be taken back when the flow fails. A message is not: it tells what was so when it was published. */
function isEffect({ state, what }: JournalEntry, operations: readonly Operation[]): boolean {
  if (state !== "done") return false
  return what.startsWith("transaction ") || operationOf(what, operations)?.effect === "write"
}

function operationOf(what: string, operations: readonly Operation[]): Operation | undefined {
  return operations.find(({ path }) => path === what.split(" ")[0])
}

function undecidedText(step: JournalEntry, operations: readonly Operation[]): string {
  const operation = operationOf(step.what, operations)
  const next = operation && isDecidedByAnotherRun(operation) ? "it is asked again later" : "it is parked for a person"
  return `step ${shownStep(step)} may have happened: ${next}`
}

interface Ending {
  readonly undone: readonly string[]
  readonly isFailed: boolean
  readonly isOver: boolean
}

function failedText(step: string | null, { undone, isFailed, isOver }: Ending): string | null {
  if (step === null && isOver && !isFailed) return null
  const failed = step === null ? "no step failed" : `step ${step} failed`
  if (isFailed) return `${failed}; undone: ${undone.join(", ") || "nothing"}`
  if (isOver) return `${failed}, the flow is done`
  return undone.length > 0 ? `${failed}; undoing ${undone.at(-1)}, which goes on later` : `${failed}; it goes on later`
}

/** Its name; where it has none its number, and what it runs: `2 (payments.charge)`. */
function shownStep({ key, what }: Pick<JournalEntry, "key" | "what">): string {
  return nameOfStep(key) || (what === "" ? labelOfStep(key) : `${labelOfStep(key)} (${whatOf({ what })})`)
}
