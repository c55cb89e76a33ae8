import { showDuration } from "../base/duration.ts"
import type { Operation } from "../contract/operation.ts"
import { attemptSettings, callPolicies, type Defaults } from "../contract/policy.ts"
import type { Service } from "../contract/service.ts"
import type { Fault } from "../contract/stand-in.ts"
import { within } from "../runtime/within.ts"
import type { Absence } from "./fault-ground.ts"
import { type FaultRow, type FaultTrouble, UNTRIED } from "./fault-row.ts"
import type { Played } from "./fault-stage.ts"
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
}

/** What a run says, and whether it broke a promise. */
export function rowOf(row: Pick<FaultRow, "operation" | "service" | "fault" | "after">, played: Played, failing: Failing): FaultRow {
  const { error, meta } = played.record
  const doubled = doubledIn(played, failing.baseline)
  const unreached = unreachedIn(played, failing.service, failing)
  const unknown = doubled || unreached ? null : (notAskedIn(played, row.after) ?? unknownIn(played, failing))
  if (unknown !== null) return { ...UNTRIED, ...row, why: unknown, trouble: null }
  const trouble = doubled ? ofDoubled(doubled, failing) : unreached && ofUnreached(unreached, failing)
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
    effects,
    why: trouble?.message ?? (arrived.length > effects ? `sent ${arrived.length} times, as one effect: the service promises so` : null),
    trouble,
  }
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

function ofDoubled({ service, asked, times }: Doubled, { operation, service: failing, fault }: Failing): FaultTrouble {
  return {
    kind: "write doubled",
    message: `${operation.path}: when ${failing.name} ${fault.name}, ${asked} may have its effect ${times} times at ${service.name}`,
    fix: 'After an unknown outcome, look whether it has happened before you send it again. If the service knows keys, say so and let it be repeated: repeat: { key: "Idempotency-Key" }',
    place: operation.declaration.at,
  }
}

function ofUnreached({ operation: inner, expected, isTooLate }: Unreached, { operation, service, fault, defaults }: Failing): FaultTrouble {
  const where = inner === operation ? operation.path : `${operation.path}, in ${inner.path}`
  const why = isTooLate ? `: the deadline of ${showDuration(Math.min(inner.deadlineMs, operation.deadlineMs))} is over first` : ""
  return {
    kind: "fallback not reached",
    message: `${where}: when ${service.name} ${fault.name}, its fallback ${expected.join(", ")} does not answer${why}`,
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
