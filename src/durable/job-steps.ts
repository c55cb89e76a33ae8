import { FAILURE, type JournalEntry, type JournaledError, labelOfStep, UNDO } from "../contract/journal.ts"

/** One step of a flow, as its journal tells of it. */
export interface JournalStep {
  /** As the code names it, else its number. */
  readonly name: string
  /** What it runs: the path of an operation, `transaction db`, `emit orders.placed`, `now`, `random`. */
  readonly what: string
  /**
   * `began`: it may have happened. `deferred`: the work `work` does it. `undone`: what was done is taken back; `undoing`: that has begun.
   */
  readonly state: "began" | "done" | "deferred" | "failed" | "undone" | "undoing"
  /** It is run to take this step back. */
  readonly undoes: string | null
  /** The service that has served it, where several could have. */
  readonly servedBy: string | null
  /** Of `deferred`: id of the work. */
  readonly work: string | null
  /** Of `failed`. */
  readonly error: JournaledError | null
  /** Of what is done: may be secret. */
  readonly answer?: unknown
}

const STATES = { begun: "began", done: "done", failed: "failed", deferred: "deferred" } as const

/** What a flow has done so far, for people. */
export function journalStepsOf(entries: readonly JournalEntry[]): readonly JournalStep[] {
  return entries.filter(({ key }) => key !== FAILURE).map((entry) => stepOf(entry, entries))
}

function stepOf(entry: JournalEntry, entries: readonly JournalEntry[]): JournalStep {
  const { key, value, error = null, servedBy = null } = entry
  const undone = entries.find((other) => isOfUndo(key, other.key))?.key
  return {
    name: labelOfStep(undone === undefined ? key : key.slice(`${UNDO}${undone}/`.length)),
    what: whatOf(entry),
    state: undone === undefined ? stateOf(entry, entries) : STATES[entry.state],
    undoes: undone === undefined ? null : labelOfStep(undone),
    servedBy,
    work: entry.state === "deferred" ? (value as string) : null,
    error,
    ...(entry.state === "done" && value !== undefined ? { answer: value } : {}),
  }
}

/** What its undo has run says whether a step still counts. */
function stateOf({ key, state }: JournalEntry, entries: readonly JournalEntry[]): JournalStep["state"] {
  const undo = entries.filter((other) => isOfUndo(other.key, key))
  if (undo.length === 0) return STATES[state]
  return undo.every((one) => one.state === "done") ? "undone" : "undoing"
}

function isOfUndo(key: string, step: string): boolean {
  return key.startsWith(`${UNDO}${step}/`)
}

/** What a step runs, without the fingerprint of its input. */
export function whatOf({ what }: Pick<JournalEntry, "what">): string {
  return what.replace(/ [0-9a-f]{16}$/, "")
}
