import { showDuration } from "../base/duration.ts"
import type { Operation } from "../contract/operation.ts"
import { attemptSettings, callPolicies, type Defaults } from "../contract/policy.ts"
import type { Service } from "../contract/service.ts"
import type { Fault } from "../contract/stand-in.ts"
import { within } from "../runtime/within.ts"
import type { Absence } from "./fault-ground.ts"
import { type FaultRow, type FaultTrouble, UNTRIED } from "./fault-row.ts"
import type { Played } from "./fault-stage.ts"
import { type FlowTold, flowTold } from "./fault-steps.ts"
import { type Doubled, doubledIn, guessedIn, neighboursOf, type Unreached, unreachedIn } from "./fault-verdict.ts"

/** The operation that is tried, and what is known of it. */
export interface RowSubject {
  readonly operation: Operation
  readonly input: unknown
  /** The run in which nothing failed. */
  readonly baseline: Played
  readonly operations: readonly Operation[]
  readonly defaults: Defaults
  readonly absent: ReadonlyMap<Service, Absence>
}

interface Failing extends RowSubject {
  readonly service: Service
  readonly fault: Fault
  readonly nth: number | null
}

/** What is known of a row before it is tried. */
export type RowHead = Pick<FaultRow, "operation" | "service" | "fault" | "nth" | "after">

/** What a run says, and whether it broke a promise. */
export function rowOf(row: RowHead, played: Played, failing: Failing): FaultRow {
  const { error, meta } = played.record
  const flow = flowTold(played, failing.operations)
  const trouble = troubleIn(played, flow, failing)
  const unknown = trouble ? null : (notAskedIn(played, row.after) ?? unknownIn(played, failing))
  if (unknown !== null) return { ...UNTRIED, ...row, why: unknown, trouble: null }
  const arrived = [...played.arrivals.values()].flat().flatMap(({ effect }) => effect ?? [])
  const effects = new Set(arrived).size
  return {
    ...row,
    result: trouble === null ? "held" : "broken",
    code: error?.code ?? null,
    outcome: error === null ? "ok" : error.outcome,
    servedBy: error === null ? meta.servedBy : null,
    isDegraded: error === null && meta.degraded !== false,
    attempts: meta.attempts,
    ms: Math.round(meta.ms),
    step: flow?.step ?? null,
    undone: flow?.undone ?? [],
    effects,
    why: flow?.what ?? trouble?.message ?? (arrived.length > effects ? sentAgain(arrived.length, effects) : null),
    trouble,
  }
}

function sentAgain(times: number, effects: number): string {
  return `sent ${times} times, as ${effects === 1 ? "one effect" : `${effects} effects`}: the service promises so`
}

/** The first of what a run has broken. */
function troubleIn(played: Played, flow: FlowTold | null, failing: Failing): FaultTrouble | null {
  const doubled = doubledIn(played, failing.baseline)
  if (doubled) return ofDoubled(doubled, failing)
  const unreached = unreachedIn(played, failing.service, failing)
  if (unreached) return ofUnreached(unreached, failing)
  return flow?.stays ? ofStaying(flow, failing) : null
}

/** One that stands before it could not be made to fail. */
function notAskedIn({ record: { error, meta } }: Played, before: readonly string[]): string | null {
  return error === null && before.includes(meta.servedBy) ? `${meta.servedBy} answered all the same, so it was not asked` : null
}

/** What a caller gets cannot be told where it depends on an answer that we have made up, and that did not fit. */
function unknownIn(played: Played, failing: Failing): string | null {
  const { baseline, fault, service } = failing
  const { error } = baseline.record
  const isGuessed = fault.isMild && error !== null && error.outcome !== "answered" && played.record.error?.reason === error.reason
  const [guessed] = isGuessed ? [service] : guessedIn(played, service, failing)
  return guessed ? `what ${guessed.name} answers when it is well is not known` : null
}

/** `when crm resets the connection`, `when crm resets the connection in its write 2`. */
function when({ service, fault, nth }: Failing): string {
  return `when ${service.name} ${fault.name}${nth === null ? "" : ` in its write ${nth}`}`
}

function ofDoubled({ service, asked, times }: Doubled, failing: Failing): FaultTrouble {
  const { operation } = failing
  return {
    kind: "write doubled",
    message: `${operation.path}: ${when(failing)}, ${asked} may have its effect ${times} times at ${service.name}`,
    fix: 'After an unknown outcome, look whether it has happened before you send it again. If the service knows keys, say so and let it be repeated: repeat: { key: "Idempotency-Key" }',
    place: operation.declaration.at,
  }
}

function ofStaying({ stays, step }: FlowTold, failing: Failing): FaultTrouble {
  const { operation } = failing
  const failed = step === null ? "the flow fails" : `step ${step} fails`
  return {
    kind: "step not undone",
    message: `${operation.path}: ${when(failing)}, ${failed}, and what step ${stays} has done stays`,
    fix: "Declare what takes that step back: s.run(operation, input, { undo: (answer) => s.run(cancel, answer) }). A step that cannot be taken back comes last; if what it has done may stay, say so: undo: async () => {}",
    place: operation.declaration.at,
  }
}

function ofUnreached({ operation: inner, expected, isTooLate }: Unreached, failing: Failing): FaultTrouble {
  const { operation, service, defaults } = failing
  const where = inner === operation ? operation.path : `${operation.path}, in ${inner.path}`
  const why = isTooLate ? `: the deadline of ${showDuration(Math.min(inner.deadlineMs, operation.deadlineMs))} is over first` : ""
  return {
    kind: "fallback not reached",
    message: `${where}: ${when(failing)}, its fallback ${expected.join(", ")} does not answer${why}`,
    fix: isTooLate
      ? enoughTime(inner, service, defaults)
      : `Call it by hand with a failing ${service.name}, and see its note: what stands behind it in the fallback must be able to answer.`,
    place: inner.declaration.at,
  }
}

/** The longest that all attempts before the fallback's turn can take, and one attempt after it. */
function enoughTime({ effect, deadlineMs, declaration }: Operation, service: Service, defaults: Defaults): string {
  const leaf = within(declaration.backend!).find(({ plan }) => plan.service === service)
  const policies = callPolicies(effect, { call: leaf?.plan.policy, service: service.policy }, defaults)
  const { timeoutMs, retries, backoffMs } = attemptSettings(effect, ...policies)
  const waitedMs = (retries + 1) * timeoutMs + backoffMs * (2 ** retries - 1)
  const turns = neighboursOf(declaration.backend!, service).after.length + 1
  const shorter = Math.max(50, Math.floor(deadlineMs / (turns + 1) / 50) * 50)
  const longer = `deadline: "${Math.ceil((waitedMs + timeoutMs * (turns - 1)) / 1_000)}s"`
  return `Give it time, ${longer}, or be less patient with ${service.name}: policy: { timeout: "${showDuration(shorter)}", retry: 0 }`
}
