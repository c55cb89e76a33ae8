// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are pieces of sources
// Mistakes to be planted one at a time into a copy of the sources: a crash run that does not notice them proves nothing.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface PlantedCrashBug {
  readonly name: string
  /** Below `src`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export const PLANTED_CRASH_BUGS: readonly PlantedCrashBug[] = [
  {
    name: "the relay removes messages before their jobs are put",
    file: "durable/relay.ts",
    from: "      if (jobs.length > 0) await store.unit(jobs)\n      await outbox.unit(delivered)",
    to: "      await outbox.unit(delivered)\n      if (jobs.length > 0) await store.unit(jobs)",
  },
  {
    name: "the mark in the inbox is not looked at",
    file: "contract/sql-once.ts",
    from: "if (isFirst === 0) {",
    to: "if (isFirst === 2) {",
  },
  {
    name: "every run of a job has an idempotency key of its own",
    file: "assembly/job-runner.ts",
    from: "isOwnAuthority, idempotencyKey, trace: this.#job.trace }",
    to: "isOwnAuthority, idempotencyKey: `${idempotencyKey} ${this.#job.attempts}`, trace: this.#job.trace }",
  },
  {
    name: "every run of a flow's step has an idempotency key of its own",
    file: "backends/flow/operation-step.ts",
    from: "idempotencyKey: `${run.intent}/${key}`,",
    to: "idempotencyKey: `${run.intent}/${key} ${call.random.hex(4)}`,",
  },
  { name: "a flow that failed is not undone", file: "backends/flow/run.ts", from: "of this.#done.reverse()", to: "of this.#done.slice(1)" },
  {
    name: "a flow that was begun passes for one that is over",
    file: "backends/flow/bind.ts",
    from: "  const end = await new FlowRun({ flow, site, call, journal, durable, until }).run(input)\n  call.detach",
    to: '  const isBegun = journal.keys.length > 0\n  const end = isBegun ? ({ is: "done", answer: input } as const) : await new FlowRun({ flow, site, call, journal, durable, until }).run(input)\n  call.detach',
  },
  {
    name: "a deferred write is answered and not kept",
    file: "backends/defer.ts",
    from: "    await durable.put(job)\n",
    to: "    if (why === null) await durable.put(job)\n",
  },
  {
    name: "the second consumer of a topic gets nothing",
    file: "durable/messages.ts",
    from: "return consumers.map(",
    to: "return consumers.slice(0, 1).map(",
  },
  {
    name: "a key is not claimed",
    file: "assembly/keys.ts",
    from: 'operation.repeat === "key" ? underKeys',
    to: 'operation.repeat === ("never" as string) ? underKeys',
  },
  {
    name: "what may have happened passes for what has not",
    file: "durable/verdict.ts",
    from: 'if (error.outcome === "unknown") return { is: "failed", error }',
    to: 'if (error.outcome === "unknown") return { is: "done", answer: undefined }\n  if (error.outcome === "refused") return { is: "done", answer: undefined }',
  },
]

const ROOT = join(import.meta.dirname, "..", "..", "..")

/** A copy of the sources, and of the application that is killed, into which mistakes are planted. */
export class PlantedCopy {
  readonly #folder = mkdtempSync(join(tmpdir(), "trestle-planted-crash-"))

  constructor() {
    for (const part of ["src", "test/reliability/torture", "test/servers"])
      cpSync(join(ROOT, part), join(this.#folder, part), { recursive: true, filter: (name) => !name.endsWith(".test.ts") })
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"), "junction")
    writeFileSync(join(this.#folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  }

  /** The application of this copy. */
  get subject(): string {
    return join(this.#folder, "test", "reliability", "torture", "subject.ts")
  }

  /** @throws {Error} where the sources have not exactly one place for it. */
  plant({ name, file, from, to }: PlantedCrashBug): void {
    const sound = readFileSync(join(ROOT, "src", file), "utf8")
    if (sound.split(from).length !== 2) throw new Error(`${file} has not exactly one place for "${name}"`)
    writeFileSync(
      join(this.#folder, "src", file),
      sound.replace(from, () => to),
    )
  }

  heal({ file }: PlantedCrashBug): void {
    cpSync(join(ROOT, "src", file), join(this.#folder, "src", file))
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
