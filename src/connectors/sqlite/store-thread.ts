import { Worker } from "node:worker_threads"
import type { StoreValue } from "../../contract/store.ts"
import type { GroupReply, GroupWriter, NumberedText } from "./store-message.ts"

export interface ThreadSettings {
  /** Absolute path. */
  readonly file: string
  /** How long a group waits for another process that writes. */
  readonly waitMs: number
}

/** Beside this file, in the form in which this file runs: a source, or compiled. */
export const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./store-worker.ts" : "./store-worker.js", import.meta.url)

/**
 * The thread that writes. It keeps the process alive while a group is under way, and no longer. When it ends by itself, what became of its
 * group is unknown, and the next one is written by a new thread.
 */
export class StoreThread implements GroupWriter {
  readonly #settings: ThreadSettings
  readonly #source: URL
  #worker: Worker | null
  /** How many texts the worker has seen. */
  #textsKnown = 0
  #answer: ((reply: GroupReply) => void) | null = null

  /** @param source of what runs in the thread; a test puts its own in its place. */
  constructor(settings: ThreadSettings, source = WORKER) {
    this.#settings = settings
    this.#source = source
    this.#worker = this.#begun()
  }

  write(texts: readonly NumberedText[], units: readonly StoreValue[]): Promise<GroupReply> {
    return new Promise((resolve) => {
      this.#answer = resolve
      try {
        this.#worker ??= this.#begun()
        this.#worker.ref()
        this.#worker.postMessage({ newTexts: texts.slice(this.#textsKnown), units })
        this.#textsKnown = texts.length
      } catch (thrown) {
        this.#answered(unwritten("refused", `the thread that writes cannot be begun: ${(thrown as Error).message}`))
      }
    })
  }

  /** Resolves when the file is closed. */
  close(): Promise<void> {
    const worker = this.#worker
    if (!worker) return Promise.resolve()
    worker.ref()
    return new Promise((resolve) => {
      worker.once("exit", () => resolve())
      worker.postMessage("close")
    })
  }

  #begun(): Worker {
    this.#textsKnown = 0
    // Flags that are meant for the application's own modules are not for this one.
    const worker = new Worker(this.#source, { name: "trestle-store", workerData: this.#settings, execArgv: [] })
    let why: string | null = null
    worker.on("message", (reply: GroupReply) => {
      worker.unref()
      this.#answered(reply)
    })
    worker.on("error", (error) => {
      why = (error as Error | undefined)?.message ?? String(error)
    })
    worker.on("exit", (code) => {
      if (this.#worker !== worker) return
      this.#worker = null
      this.#answered(unwritten("unknown", `the thread that writes has ended: ${why ?? `code ${code}`}`))
    })
    worker.unref()
    return worker
  }

  #answered(reply: GroupReply): void {
    const answer = this.#answer
    this.#answer = null
    answer?.(reply)
  }
}

function unwritten(outcome: "refused" | "unknown", message: string): GroupReply {
  const reason = outcome === "refused" ? "not-connected" : "connection-lost"
  return { outcome, fault: { message, reason }, newColumns: [], results: [], faults: [] }
}
