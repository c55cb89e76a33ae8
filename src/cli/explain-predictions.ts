import type { KnownFailure } from "../contract/backend.ts"
import { failure } from "../contract/failure.ts"
import type { Operation } from "../contract/operation.ts"
import { type Defaults, servicePolicies, serviceSettings } from "../contract/policy.ts"
import type { Outcome, Reason } from "../errors/reasons.ts"
import { ANSWERS, type Behaviour, type Leaf, type Rehearsal, rehearse } from "./explain-rehearsal.ts"
import { type Fate, fateOf } from "./explain-work.ts"

/** How a call ends. */
export interface Ending {
  readonly servedBy: string | null
  readonly isDegraded: boolean
  /** The write is kept, and sent later. */
  readonly isPending: boolean
  readonly code: string | null
  /** HTTP status of the answer. */
  readonly status: number
  readonly outcome: "ok" | Outcome
  readonly reason: Reason | null
  /** Of a message or a scheduled run that ends so; null where only calls run it. */
  readonly fate: Fate | null
}

/** Attempts; fewer when chance makes the pauses between them so long that the deadline leaves no time for more. */
export interface Attempts {
  readonly least: number
  readonly most: number
}

/** What becomes of a call when one leaf fails in one way, those before it cannot be reached, and those after it are well. */
export interface Prediction {
  /** Number of the leaf. */
  readonly leaf: number
  /** The service, or the kind of a backend without one. */
  readonly of: string
  readonly isService: boolean
  /** `says 503`, `cannot be reached`. */
  readonly failure: string
  /** At this leaf, and at all services together. */
  readonly attempts: Attempts
  readonly attemptsInAll: Attempts
  readonly ending: Ending
  /** The other ending that it can have, when the pauses between attempts happen to be short; null where they decide nothing. */
  readonly orEnding: Ending | null
}

/** The longest that the backend can take: every service in turn hangs before it has taken the request. */
export interface WorstCase {
  readonly deadlineMs: number
  /** Cut at the deadline. */
  readonly ms: number
  /** If there were no deadline. */
  readonly uncutMs: number
  readonly tries: readonly { readonly of: string; readonly startedAtMs: number; readonly endsAtMs: number; readonly isCut: boolean }[]
  /** Code of the application takes as long as it takes, up to the deadline. */
  readonly hasCode: boolean
  /** At the deadline its caller is told `PENDING`, and it goes on. */
  readonly goesOn: boolean
}

const STATUS_PENDING = 202
const HANGS_UNSENT: Behaviour = { does: "hang", isSent: false }
/** Longer than any deadline. */
const NO_DEADLINE_MS = 2 ** 45

type Kind = readonly [name: string, behaviour: Behaviour]

/** Every way in which every leaf can fail, in the order in which the backend asks them. */
export async function predictions(operation: Operation, defaults: Defaults): Promise<readonly Prediction[]> {
  if (!operation.declaration.backend) return []
  const reached = await reachedLeaves(operation, defaults)
  const found: Prediction[] = []
  for (const [turn, { leaf, index }] of reached.entries()) {
    const before = new Set(reached.slice(0, turn).map((one) => one.index))
    for (const [name, behaviour] of kindsOf(leaf, operation, defaults)) {
      const behaviourOf = (at: number): Behaviour => (at === index ? behaviour : before.has(at) ? unreachable(operation) : ANSWERS)
      const script = { operation, defaults, behaviour: behaviourOf }
      const runs = [await rehearse(script), await rehearse({ ...script, pauses: "none" })] as const
      found.push({
        leaf: index,
        of: nameOf(leaf),
        isService: leaf.service !== null,
        failure: name,
        ...comparedRuns(index, runs, operation),
      })
    }
  }
  return found
}

/** Leaves in the order in which they are asked when none of them can be reached; a lookup, which is asked only after a conflict, is none. */
async function reachedLeaves(operation: Operation, defaults: Defaults): Promise<{ leaf: Leaf; index: number }[]> {
  const { leaves, tries } = await rehearse({ operation, defaults, behaviour: () => unreachable(operation) })
  return [...new Set(tries.map(({ leaf }) => leaf))].map((index) => ({ leaf: leaves[index]!, index }))
}

function unreachable({ effect }: Operation): Behaviour {
  return { does: "fail", isSent: false, error: () => failure("not-connected", effect) }
}

/** Answers from its declaration, and so cannot fail. */
function isFixed({ backend: { plan } }: Leaf): boolean {
  return plan.placeholder !== undefined || plan.samples !== undefined || plan.sampleFor !== undefined
}

function kindsOf(leaf: Leaf, operation: Operation, defaults: Defaults): Kind[] {
  const { backend, service } = leaf
  const { plan } = backend
  if (!service) {
    return isFixed(leaf)
      ? []
      : [
          [
            backend.kind === "flow" ? "throws, or a step fails that it does not catch" : "throws",
            { does: "fail", isSent: true, error: () => failure("thrown", operation.effect) },
          ],
        ]
  }
  const known = plan.failures?.(operation) ?? commonFailures(operation)
  const { breaker } = serviceSettings(...servicePolicies(service.policy, defaults))
  return [
    ...(known.map((one) => [one.name, { does: "fail", isSent: one.isSent, error: one.error }]) satisfies Kind[]),
    ["takes no request in time", HANGS_UNSENT],
    ["gives no answer in time", { does: "hang", isSent: true }],
    ...(breaker ? ([["has its circuit breaker open", { does: "stay open", of: "circuit breaker" }]] satisfies Kind[]) : []),
    ["has no place left", { does: "stay full", of: "bulkhead" }],
  ]
}

/** What can happen to every service, for connectors that do not say more. */
function commonFailures({ effect }: Operation): KnownFailure[] {
  const of = (name: string, reason: Reason, isSent: boolean): KnownFailure => ({ name, isSent, error: () => failure(reason, effect) })
  return [of("cannot be reached", "not-connected", false), of("drops the connection", "connection-lost", true)]
}

/** Of two runs with the longest and the shortest pauses. */
function comparedRuns(
  leaf: number,
  runs: readonly [Rehearsal, Rehearsal],
  operation: Operation,
): Pick<Prediction, "attempts" | "attemptsInAll" | "ending" | "orEnding"> {
  const [ending, other] = runs.map((run) => endingOf(run, operation)) as [Ending, Ending]
  return {
    attempts: range(runs.map(({ tries }) => tries.filter((one) => one.leaf === leaf).length)),
    attemptsInAll: range(runs.map(({ call }) => call.meta.attempts)),
    ending,
    orEnding: JSON.stringify(other) === JSON.stringify(ending) ? null : other,
  }
}

function range(counts: readonly number[]): Attempts {
  return { least: Math.min(...counts), most: Math.max(...counts) }
}

function endingOf({ call: { error, meta } }: Rehearsal, operation: Operation): Ending {
  const { on, every } = operation.declaration.contract
  return {
    servedBy: error ? null : meta.servedBy,
    isDegraded: meta.degraded !== false,
    isPending: meta.work !== undefined,
    code: error?.code ?? null,
    status: error?.status ?? (meta.work === undefined ? operation.status : STATUS_PENDING),
    outcome: error?.outcome ?? "ok",
    reason: error?.reason ?? null,
    fate: on === undefined && every === undefined ? null : fateOf(error, operation),
  }
}

function nameOf({ service, backend }: Leaf): string {
  return service?.name ?? backend.kind
}

export async function worstCase(operation: Operation, defaults: Defaults): Promise<WorstCase> {
  const { deadlineMs } = operation
  if (!operation.declaration.backend) return { deadlineMs, ms: 0, uncutMs: 0, tries: [], hasCode: false, goesOn: false }
  const run = (limit: number): Promise<Rehearsal> => rehearse({ operation, defaults, behaviour: () => HANGS_UNSENT, deadlineMs: limit })
  const [cut, uncut] = [await run(deadlineMs), await run(NO_DEADLINE_MS)]
  const { leaves } = uncut
  return {
    deadlineMs,
    ms: cut.call.meta.ms,
    uncutMs: uncut.call.meta.ms,
    tries: uncut.tries.map(({ leaf, startedAt, endedAt }) => ({
      of: nameOf(leaves[leaf]!),
      startedAtMs: startedAt,
      endsAtMs: endedAt,
      isCut: endedAt > deadlineMs,
    })),
    hasCode: leaves.some((leaf) => leaf.service === null && !isFixed(leaf)),
    goesOn: operation.effect === "write" && leaves.some(({ backend: { plan } }) => plan.isDurable),
  }
}
