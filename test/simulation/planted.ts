// Bugs to be planted one at a time into a copy of the sources: a simulation that does not notice them proves nothing.

export interface Planted {
  readonly name: string
  /** Below `src`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export const PLANTED: readonly Planted[] = [
  {
    name: "a write without a promise is repeated after unknown",
    file: "policies/guard.ts",
    from: ' || (verdict.outcome === "unknown" && !mayRepeatUnknown)',
    to: "",
  },
  {
    name: "a write falls back after unknown",
    file: "contract/failure.ts",
    from: 'return effect === "read" || error.outcome === "refused"',
    to: "return true",
  },
  {
    name: "a refused attempt makes the unknown one before it forgotten",
    file: "policies/guard.ts",
    from: "if (pauseMs === null) return this.#reject(ofAllAttempts(error, this.#unknown, call))",
    to: "if (pauseMs === null) return this.#reject(error)",
  },
  {
    name: "the place in the bulkhead is kept by a call that was stopped",
    file: "policies/trial.ts",
    from: "if (!this.#isHeld) gate.bulkhead.leave()",
    to: "if (!this.#isHeld && !call.stopped) gate.bulkhead.leave()",
  },
  {
    name: "the bulkhead hands on a place and frees it too",
    file: "policies/bulkhead.ts",
    from: "      this.#active++\n      admit()",
    to: "      admit()",
  },
  {
    name: "who gives up waiting stays in the queue",
    file: "policies/bulkhead.ts",
    from: "giveUp(admit: () => void): void {\n    this.#queue.delete(admit)",
    to: "giveUp(_admit: () => void): void {",
  },
  {
    name: "the breaker lets two probes through",
    file: "policies/circuit-breaker.ts",
    from: "this.#probes >= this.#settings!.probes",
    to: "this.#probes > this.#settings!.probes",
  },
  {
    name: "who queued before the circuit opened is sent all the same",
    file: "policies/trial.ts",
    from: "if (!breaker.isCurrent(this.#ticket)) this.#ticket = breaker.enter()",
    to: "",
  },
  {
    name: "the slower attempt of a hedge goes on",
    file: "policies/guard.ts",
    from: "if (this.#beside !== null) (trial === this.#trial ? this.#beside : this.#trial)?.abandon()",
    to: "",
  },
  {
    name: "a probe is hedged",
    file: "policies/trial.ts",
    from: 'breaker.state !== "closed" || !bulkhead.tryEnter()',
    to: "!bulkhead.tryEnter()",
  },
  {
    name: "the alarm of a hedge is left when the answer comes in time",
    file: "policies/guard.ts",
    from: "this.#disarmHedge()\n    if (this.#beside",
    to: "if (this.#beside",
  },
  {
    name: "the first failure of a hedge does not wait for the other attempt",
    file: "policies/guard.ts",
    from: "if (this.#trial !== null || this.#beside !== null) return\n",
    to: "",
  },
  {
    name: "a pause ignores the deadline",
    file: "policies/guard.ts",
    from: "if (call.clock.now() + pauseMs >= call.deadlineAt) return null",
    to: "",
  },
  {
    name: "every attempt has its own idempotency key",
    file: "connectors/rest/exchange.ts",
    from: "const { input } = prepared\n",
    to: 'const { input } = prepared\n      if (prepared.headers["x-key"]) prepared.headers["x-key"] += attempt.number\n',
  },
  {
    name: "a request is marked as sent only when it is answered",
    file: "connectors/rest/listeners.ts",
    from: "this.#attempt.isSent = true\n",
    to: "",
  },
  {
    name: "a failed lookup passes for the write's own end",
    file: "connectors/rest/exchange.ts",
    from: 'throw failure("own-conflict", call.effect,',
    to: 'throw cause ?? failure("own-conflict", call.effect,',
  },
  {
    name: "an attempt whose time is over goes on at the service",
    file: "policies/trial.ts",
    from: 'this.#end = "stopped"\n    this.#stoppable?.stop()',
    to: 'this.#end = "stopped"',
  },
  { name: "an attempt's alarm is not cancelled", file: "policies/trial.ts", from: "call.clock.cancel(this.#alarm)\n", to: "" },
  { name: "an attempt stays attached", file: "policies/trial.ts", from: "call.detach(this)\n", to: "" },
  {
    name: "a 5xx passes for a refusal",
    file: "errors/reasons.ts",
    from: '"server-error": { outcome: "unknown"',
    to: '"server-error": { outcome: "refused"',
  },
  {
    name: "an answer that does not fit passes for a refusal",
    file: "errors/reasons.ts",
    from: '"output-misfit": { outcome: "unknown"',
    to: '"output-misfit": { outcome: "refused"',
  },
  {
    name: "a fallback does not say that it was one",
    file: "backends/fallback.ts",
    from: "if (i > 0) call.noteDegraded(why)",
    to: "",
  },
  {
    name: "who served is not said by the one that served",
    file: "runtime/engine.ts",
    from: "call.noteServedBy(servedBy)",
    to: 'if (call.effect === "read") call.noteServedBy(servedBy)\n  else call.noteServedBy("crm")',
  },
  {
    name: "a call outlives its deadline",
    file: "runtime/call.ts",
    from: 'this.stop(new TrestleError("TIMEOUT"',
    to: 'if (this.deadlineAt % 2 < 1) this.stop(new TrestleError("TIMEOUT"',
  },
  { name: "a stopped call leaves its attempt running", file: "runtime/call.ts", from: "      target.stop(why)\n", to: "" },
  {
    name: "what has left for a service is forgotten when the call is stopped",
    file: "runtime/call.ts",
    from: 'const phase = this.#mayHaveActed ? "sent" : "unsent"',
    to: 'const phase = "unsent" as "sent" | "unsent"',
  },
  {
    name: "a call is settled twice",
    file: "runtime/call.ts",
    from: "#end(error: TrestleError | null): void {\n    if (this.isSettled) return",
    to: "#end(error: TrestleError | null): void {",
  },
]
