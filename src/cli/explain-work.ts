import { repeatingOf } from "../assembly/job-runner.ts"
import type { Random } from "../base/random.ts"
import type { Backend } from "../contract/backend.ts"
import { declarationOf, isOp } from "../contract/op.ts"
import type { Operation } from "../contract/operation.ts"
import { scheduleOf } from "../contract/schedule.ts"
import { topicOf } from "../contract/topic.ts"
import type { HeldJob } from "../durable/job-record.ts"
import { boundedEnd, verdictOf } from "../durable/verdict.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { everyText } from "../runtime/status.ts"

/** What runs an operation beside its callers, and how often a run is tried. */
export interface Runs {
  /** `onDead`: what becomes of the later messages of its key; null: no order. */
  readonly topic: { readonly name: string; readonly version: number; readonly onDead: "block" | "skip" | null } | null
  /** `nextAt`: ISO 8601; null: never again. */
  readonly every: { readonly text: string; readonly nextAt: string | null } | null
  /** Runs in all, before it is dead. */
  readonly times: number
  /** The longest pause before each repeat, in milliseconds. */
  readonly pauses: readonly number[]
}

/** What becomes of a run that has ended so. `waits`: for a service that is away, without counting. */
export type Fate = "done" | "again" | "waits" | "dead" | "parked"

/** What can be said of a flow without running it. */
export interface FlowFacts {
  /** Where what it has done is kept; `nothing`: of one that reads. */
  readonly kept: "store" | "memory" | "nothing"
  readonly withinMs: number
  /** Paths of what it may run although its caller may not. */
  readonly grants: readonly string[]
  readonly databases: readonly string[]
}

const LONGEST: Random = { next: () => 1, hex: () => "" }

/** `null`: only calls run it. */
export function runsOf(operation: Operation, epoch: number): Runs | null {
  const { on, every } = operation.declaration.contract
  if (on === undefined && every === undefined) return null
  const { times } = repeatingOf(operation)
  return {
    topic: on === undefined ? null : topicFacts(topicOf(on)),
    every: every === undefined ? null : { text: everyText(every), nextAt: nextAt(every, epoch) },
    times,
    pauses: Array.from({ length: times - 1 }, (_, i) => pauseAfter(i + 1, operation)),
  }
}

function topicFacts({ topic, version, key, onDead }: ReturnType<typeof topicOf>): Runs["topic"] {
  return { name: topic, version, onDead: key === null ? null : onDead }
}

function nextAt(every: NonNullable<Operation["declaration"]["contract"]["every"]>, epoch: number): string | null {
  const times = scheduleOf(every)
  const next = "why" in times ? null : times.next(epoch)
  return next === null ? null : new Date(next).toISOString()
}

function pauseAfter(attempts: number, operation: Operation): number {
  const end = ended(new TrestleError("INTERNAL", undefined, { outcome: "refused" }), attempts, operation)
  return "delayMs" in end ? end.delayMs : 0
}

/** By the very rules that the worker asks. */
export function fateOf(error: TrestleError | null, operation: Operation): Fate {
  const end = ended(error, 1, operation)
  if (end.is === "failed") return "isOfNoFault" in end ? "waits" : "again"
  return end.is === "dead" || end.is === "parked" || end.is === "done" ? end.is : "again"
}

function ended(error: TrestleError | null, attempts: number, operation: Operation): ReturnType<typeof boundedEnd> {
  const kind = operation.declaration.contract.on === undefined ? "schedule" : "message"
  const bounds = { repeating: repeatingOf(operation), random: LONGEST, ageMs: 0 }
  return boundedEnd(verdictOf({ error, output: undefined, jobEnd: null }), { kind, attempts } as HeldJob, bounds)
}

/** `null` for what is no flow. */
export function flowFactsOf(
  { kind, plan }: Backend<any, any, any>,
  effect: "read" | "write",
  operations: readonly Operation[],
): FlowFacts | null {
  if (kind !== "flow") return null
  const pathOf = (grant: unknown): string[] =>
    isOp(grant) ? operations.filter(({ declaration }) => declaration === declarationOf(grant)).map(({ path }) => path) : []
  return {
    kept: effect === "read" ? "nothing" : plan.isDurable ? "store" : "memory",
    withinMs: plan.expiresMs ?? 0,
    grants: (plan.grants ?? []).flatMap(pathOf),
    databases: (plan.databases ?? []).map(({ name }) => name),
  }
}
