// Bugs of what outlives a call, planted as those of `planted.ts` are: the durable worlds must notice each.
import type { Planted } from "./planted.ts"

export interface PlantedDurable extends Planted {
  /** Seeds are run from here on, so that the short form need not look for long. */
  readonly seed: number
}

export const PLANTED_DURABLE: readonly PlantedDurable[] = [
  {
    name: "a deferred write is acknowledged before it is stored",
    file: "backends/defer.ts",
    from: "    await durable.put(job)\n",
    to: "    void durable.put(job).catch(() => {})\n",
    seed: 110,
  },
  {
    name: "the fence is ignored",
    file: "durable/job-statements.ts",
    from: "const HELD = \"id = ? and fence = ? and state = 'running'\"",
    to: "const HELD = \"id = ? and ? > 0 and state = 'running'\"",
    seed: 9,
  },
  {
    name: "two steps of a flow have one key",
    file: "backends/flow/operation-step.ts",
    from: `idempotencyKey: \`\${run.intent}/\${key}\``,
    to: "idempotencyKey: run.intent",
    seed: 1,
  },
  {
    name: "the inbox's marker is not looked at",
    file: "contract/sql-once.ts",
    from: "if (isFirst === 0) {",
    to: "if (isFirst < 0) {",
    seed: 9,
  },
  {
    name: "the relay deletes messages before it puts their jobs",
    file: "durable/relay.ts",
    from: "      if (jobs.length > 0) await store.unit(jobs)\n      await outbox.unit(delivered)\n",
    to: "      await outbox.unit(delivered)\n      if (jobs.length > 0) await store.unit(jobs)\n",
    seed: 9,
  },
  {
    name: "a claim ignores the order of a key",
    file: "durable/job-statements.ts",
    from: "seq < j.seq and ",
    to: "seq < j.seq and state = 'running' and ",
    seed: 152,
  },
  {
    name: "a key is free again after an unknown outcome",
    file: "durable/keyed-call.ts",
    from: 'return error.outcome === "unknown" ? this.#claims.settle(this.#claim, "unknown") : this.#claims.letGo(this.#claim)',
    to: "return this.#claims.letGo(this.#claim)",
    seed: 13,
  },
  {
    name: "steps are undone in the order in which they were done",
    file: "backends/flow/run.ts",
    from: "of this.#done.reverse()",
    to: "of this.#done",
    seed: 2,
  },
  {
    name: "only the first step is undone",
    file: "backends/flow/run.ts",
    from: "if (undo) this.#done.push",
    to: "if (undo && this.#done.length === 0) this.#done.push",
    seed: 2,
  },
  {
    name: "a step is journaled as done before it has answered",
    file: "backends/flow/operation-step.ts",
    from: 'await run.write([{ ...this.#entry, state: "begun" }])',
    to: 'await run.write([{ ...this.#entry, state: "done" }])',
    seed: 2,
  },
  {
    name: "a run goes on whose lease could not be renewed",
    file: "durable/runs.ts",
    from: "    run.isStopped = true\n    run.stoppable?.stop(",
    to: "    run.isStopped = true\n    void (",
    seed: 203,
  },
  {
    name: "a journal is written without its lease",
    file: "durable/journal.ts",
    from: "values: [id, fence], expects: 1 }",
    to: "values: [id, fence] }",
    seed: 5,
  },
  // What the simulation has found.
  {
    name: "a step that was refused after a run that may have had its effect counts as not done",
    file: "backends/flow/operation-step.ts",
    from: 'this.#run.undoing === null && outcome === "refused"',
    to: "false",
    seed: 16,
  },
  {
    name: "a flow that is begun anew has the keys of the one that was undone",
    file: "backends/flow/run.ts",
    from: '  if (call.delivery?.kind === "flow") return hash("sha256", call.delivery.id).slice(0, 40)\n',
    to: '  if (call.delivery?.kind === "flow") return call.idempotencyKey()\n',
    seed: 47,
  },
  {
    name: "an undo that halts never ends its run",
    file: "backends/flow/run.ts",
    from: "        this.#hasSettled = false\n",
    to: "",
    seed: 16,
  },
]
