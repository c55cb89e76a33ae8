import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Ledger } from "./store-ledger.ts"

const WRITER = new URL("./store-writer.ts", import.meta.url).pathname

/** A process that keeps units, and what it was heard to say. */
export class WriterProcess {
  readonly #child: ChildProcess
  readonly #ledger: Ledger
  readonly #ended: Promise<void>
  #pid = 0
  #watching: (() => void)[] = []
  #isOver = false

  /** @param wrapper a command that runs it, such as a tracer, with its arguments. */
  constructor(file: string, ledger: Ledger, options: { readonly callers?: number; readonly wrapper?: readonly string[] } = {}) {
    const { callers = 16, wrapper = [] } = options
    const [command, ...args] = [...wrapper, process.execPath, "--no-warnings", WRITER, file, String(callers)]
    this.#ledger = ledger
    this.#child = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"] })
    const lines = createInterface({ input: this.#child.stdout! })
    lines.on("line", (line) => {
      if (line.startsWith("= ")) this.#pid = Number(line.slice(2))
      else ledger.note(line)
      this.#look()
    })
    this.#ended = new Promise<void>((resolve) => {
      this.#child.once("error", () => resolve())
      // What it has said before its end is read to the end.
      this.#child.once("close", () => resolve())
    }).then(() => {
      this.#isOver = true
      this.#look()
    })
  }

  /** Resolves as soon as what was heard is enough; rejects when the writer ends before. */
  async until(isEnough: (ledger: Ledger) => boolean): Promise<void> {
    while (!isEnough(this.#ledger)) {
      if (this.#isOver) throw new Error(`the writer has ended by itself; it was heard: ${[...this.#ledger.notes].join("; ")}`)
      await new Promise<void>((resolve) => this.#watching.push(resolve))
    }
  }

  /** kill -9, and everything that it has said before. */
  async kill(): Promise<void> {
    if (this.#pid !== 0 && !this.#isOver) process.kill(this.#pid, "SIGKILL")
    else this.#child.kill("SIGKILL")
    await this.#ended
  }

  #look(): void {
    const watching = this.#watching
    this.#watching = []
    for (const go of watching) go()
  }
}
