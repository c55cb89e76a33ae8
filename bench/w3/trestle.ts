/** Trestle's own policies: `fallback(leaf, value)`, the leaf guarded as in an application, in a call that has a deadline. */

import { fallback } from "../../src/backends/fallback.ts"
import { type Clock, systemClock } from "../../src/base/clock.ts"
import { type Random, systemRandom } from "../../src/base/random.ts"
import { type Answer, backend, type Site } from "../../src/contract/backend.ts"
import type { CallContext, Stoppable } from "../../src/contract/call.ts"
import { KEEPS_NOTHING } from "../../src/contract/keeping.ts"
import { attemptSettings, type Policy, serviceSettings } from "../../src/contract/policy.ts"
import type { Exchange } from "../../src/contract/service.ts"
import type { TrestleError } from "../../src/errors/trestle-error.ts"
import { createGate } from "../../src/policies/gate.ts"
import { guard } from "../../src/policies/guard.ts"
import { FALLBACK, failing, measure, work } from "./measure.ts"

const POLICY: Policy = { timeout: "2s", retry: 2, breaker: { failures: 5, of: 10, slow: "1s", rest: "10s" }, concurrency: 128, queue: 512 }

/** What policies ask of a call: one a call, as the engine makes one. */
class BenchCall {
  readonly operation = "bench"
  readonly effect = "read"
  readonly clock: Clock = systemClock
  readonly random: Random = systemRandom
  readonly deadlineAt = systemClock.now() + 10_000
  stopped: TrestleError | null = null
  attempts = 0
  degradedWhy: string | null = null
  #attached: Stoppable | null = null

  attach(target: Stoppable): void {
    this.#attached = target
  }
  detach(target: Stoppable): void {
    if (this.#attached === target) this.#attached = null
  }
  noteAttempt(): void {
    this.attempts++
  }
  noteSent(): void {}
  noteDegraded(why: string): void {
    this.degradedWhy = why
  }
}

function bound(send: (n: number) => Promise<number>): Answer {
  const exchange: Exchange = { prepare: (input) => input, send: (request) => send(request as number) }
  const gate = createGate("crm", serviceSettings(POLICY), systemClock)
  const leaf = backend<number, number>("leaf", {
    bind: () => guard(gate, exchange, { settings: attemptSettings("read", POLICY), mayRepeatUnknown: true }),
  })
  const site = { keeping: KEEPS_NOTHING, errors: {}, bind: (part) => part.plan.bind(site) } as Partial<Site> as Site
  const last = backend<number, number>("value", { bind: () => () => FALLBACK })
  return site.bind(fallback(leaf, last))
}

const good = bound(work)
const bad = bound(failing)
const call = (): CallContext => new BenchCall() as unknown as CallContext

await measure(
  (n) => good(n, call()) as Promise<number>,
  () => bad(1, call()) as Promise<number>,
)
