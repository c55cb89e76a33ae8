import { type ChildProcess, fork } from "node:child_process"
import type { FromVersion, ToVersion } from "./dev-messages.ts"

/** A version that does not end by then is ended: its own drain takes 10 s at most. */
const LEAVE_MS_MAX = 11_000
/** Connections that were passed on a moment ago are still on their way into it. */
const LAST_CONNECTIONS_MS = 100

export interface VersionHears {
  message(version: Version, message: FromVersion): void
  /** What it prints by itself. */
  printed(text: string): void
  ended(version: Version, how: string): void
}

/** One version of the application, in a process of its own. */
export class Version {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #isLeaving = false

  constructor(args: readonly string[], hears: VersionHears) {
    const env = { ...process.env, TRESTLE_ENV: "development" }
    const child = fork(process.argv[1]!, ["dev-child", ...args], { env, stdio: ["ignore", "pipe", "pipe", "ipc"] })
    this.#child = child
    for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding("utf8").on("data", (text: string) => hears.printed(text))
    child.on("message", (message: FromVersion) => hears.message(this, message))
    // A message to a process that is just ending.
    child.on("error", () => {})
    this.#ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        hears.ended(this, signal ?? `exit ${code}`)
        resolve()
      })
    })
  }

  /** It was told to go; its end is no crash. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Lets calls under way finish. Resolves when it has ended. */
  async leave(): Promise<void> {
    if (!this.#isLeaving) {
      this.#isLeaving = true
      const message: ToVersion = { kind: "leave" }
      setTimeout(() => {
        if (this.#child.connected) this.#child.send(message)
      }, LAST_CONNECTIONS_MS)
      const late = setTimeout(() => this.kill(), LEAVE_MS_MAX)
      void this.#ended.then(() => clearTimeout(late))
    }
    return this.#ended
  }

  /** Ends it at once: nobody is served by it, or it does not listen. */
  kill(): void {
    this.#isLeaving = true
    this.#child.kill("SIGKILL")
  }
}
