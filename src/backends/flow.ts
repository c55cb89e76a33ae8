import { type Duration, parseDuration, whyNoDuration } from "../base/duration.ts"
import { type Backend, backend } from "../contract/backend.ts"
import type { Ctx } from "../contract/call.ts"
import type { Op } from "../contract/op.ts"
import type { HasTransactions, Tx } from "../contract/sql-transaction.ts"
import type { Topic } from "../contract/topic.ts"
import type { Common } from "../errors/catalog.ts"
import { bindFlow } from "./flow/bind.ts"

/** How long a flow may last when it says nothing of its own, in milliseconds: a day. */
const WITHIN_MS = 86_400_000

/** What may be said of one step. */
export interface StepSpec<O> {
  /**
   * Takes the step back when a later one has failed; gets its answer. Runs operations with `s.run`, which must bear to be repeated: after a
   * crash it may run once more.
   */
  undo?: (answer: O) => Promise<unknown>
  /** Unique within the flow. Needed by steps that are under way together, and by those that may come in another order. */
  name?: string
}

/** What the function of a flow works with. Time, chance and everything outside come through it, so that a resumed flow meets the same again. */
export interface Steps<E extends string = string> extends Pick<Ctx<E>, "user" | "signal" | "fail"> {
  /**
   * Runs an operation as a step: once it has answered, a resumed flow is given that answer again. Its own `allow` applies to the caller
   * unless the flow lists it in `grants`. A step whose write was deferred suspends the flow until it is done.
   */
  run<I, V, O, X extends E | Common, H>(operation: Op<I, V, O, X, H>, input: NoInfer<I>, spec?: StepSpec<O>): Promise<O>
  /**
   * Runs statements of one database as a step: all of them count, once, or none. The database must be among the flow's `databases`. Await
   * nothing in it but its own statements.
   */
  transaction<T>(database: HasTransactions, work: (tx: Tx<E>) => Promise<T>, spec?: StepSpec<T>): Promise<T>
  /** Publishes a message, once. */
  emit<T, P>(topic: Topic<T, P>, payload: NoInfer<P>, spec?: Pick<StepSpec<void>, "name">): Promise<void>
  /** Milliseconds since 1970; the same when the flow is resumed. */
  now(): Promise<number>
  /** From 0 up to, not including, 1; the same when the flow is resumed. */
  random(): Promise<number>
}

export type FlowOptions = {
  /** Operations that it may run although its caller may not. */
  grants?: readonly Op<any, any, any, any, any>[]
  /** The databases of its transactions. Each keeps an outbox (`outbox: true`): there it is marked what a transaction has done. */
  databases?: readonly HasTransactions[]
  /** How long it may last, over crashes and deferred steps; then it is undone and ends as `TIMEOUT`. The contract's `deadline` bounds only how long its caller waits. Default `"24h"`. */
  within?: Duration
} & (
  | { durable?: true }
  | { /** Kept in memory alone: what it has begun is lost with the process. */ durable: false /** Why that may be. */; why: string }
)

/**
 * An operation made of others, as steps that are journaled. After a crash it goes on where it was; when a step fails, those before it are
 * undone in reverse order. A caller whose `deadline` is over is told `PENDING`, and the flow goes on.
 *
 * The function is run again from its beginning when a flow is resumed, and must then ask for the same steps: what it decides may depend only
 * on its input, on the answers of its steps, and on `s.now()` and `s.random()`.
 */
export function flow<V, O, E extends string = never>(
  f: (input: V, s: Steps<E>) => Promise<NoInfer<O>>,
  options: FlowOptions = {},
): Backend<V, O, E> {
  const { grants = [], databases = [], within, durable = true } = options
  const services = databases.map((database) => database["~service"])
  const withinMs = parseDuration(within) ?? WITHIN_MS
  return backend("flow", {
    ...(durable ? { isDurable: true } : {}),
    grants,
    databases: services,
    expiresMs: withinMs,
    repeat: durable ? "natural" : "none",
    mistakes: mistakesOf(options),
    bind: (site) =>
      bindFlow({ f: f as never, grants: new Set<unknown>(grants), databases: new Set(services), withinMs, isDurable: durable }, site),
  })
}

function mistakesOf(options: FlowOptions): string[] {
  const mistakes: string[] = []
  const { within } = options
  if (within !== undefined && !(parseDuration(within)! > 0)) mistakes.push(`within ${whyNoDuration(within, "24h")}`)
  if (options.durable === false && !options.why) mistakes.push("durable: false needs its reason in `why`")
  return mistakes
}
