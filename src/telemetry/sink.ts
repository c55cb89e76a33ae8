import { writeSync } from "node:fs"
import { type Clock, systemClock } from "../base/clock.ts"
import { type Destination, openFile, openStream, STDOUT, type Stream } from "./destination.ts"
import { RotatingFile } from "./log-file.ts"

/** Lines of a hundred calls: few enough system calls, little enough to lose. */
const BATCH_LENGTH = 32_768
const WAIT_MS = 100
/** A reader that stands still must not keep the process from stopping. */
const FLUSH_MS_MAX = 2_000

/**
 * Collects lines and hands them on when 32 kB wait, 100 ms after the first, on `flush`, on `close` and on the process's exit. A killed
 * process loses at most the last 100 ms. Never throws into a call.
 *
 * The lines are collected here and not by pino's destination: that one measures its whole buffer again for each line.
 */
export class Sink {
  readonly #writer: { write(lines: string): unknown } | null
  readonly #stream: Stream | null
  /** Of what is written past the stream, when the process ends. */
  readonly #fd: () => number
  #waiting = ""
  #timer: NodeJS.Timeout | null = null
  #state: "open" | "exiting" | "closed" = "open"
  #isBroken = false

  /** @throws {TrestleError} `START_REFUSED` when the file cannot be opened. */
  constructor(destination: Destination | undefined, clock: Clock = systemClock) {
    const complain = (error: Error): void => this.#complain(error)
    this.#writer = isWriter(destination) ? destination : null
    if (isWriter(destination)) {
      this.#stream = null
      this.#fd = () => -1
    } else if (typeof destination === "object") {
      const file = new RotatingFile(destination, clock, complain)
      this.#stream = file
      this.#fd = () => file.fd
    } else {
      const fd = destination === undefined ? STDOUT : openFile(destination)
      this.#stream = openStream(fd, complain)
      this.#fd = () => fd
    }
    watch(this)
  }

  /** Lines that come after `close` are dropped. */
  write(line: string): void {
    if (this.#state !== "open") return this.#late(line)
    this.#waiting += line
    if (this.#waiting.length >= BATCH_LENGTH) this.handOver()
    else if (this.#timer === null) this.#arm()
  }

  /** Resolves when everything written so far is with the operating system, or after 2 s. */
  async flush(): Promise<void> {
    this.handOver()
    const stream = this.#stream
    if (stream === null || stream.destroyed) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const limit = setTimeout(resolve, FLUSH_MS_MAX)
    // The error of a flush is that of a write, which is heard above, or that a pipe cannot be synchronised.
    stream.flush(() => resolve())
    await promise
    clearTimeout(limit)
  }

  async close(): Promise<void> {
    if (this.#state !== "open") return
    await this.flush()
    this.handOver()
    this.#state = "closed"
    unwatch(this)
    if (this.#stream?.destroyed === false) this.#stream.end()
  }

  // Real time, not the application's clock: a test's clock that stands still must not hold lines back.
  #arm(): void {
    this.#timer = setTimeout(this.handOver, WAIT_MS)
    this.#timer.unref()
  }

  /** Passes on what waits, without waiting for it to be written. */
  readonly handOver = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#waiting === "") return
    const lines = this.#waiting
    this.#waiting = ""
    try {
      if (this.#writer) this.#writer.write(lines)
      else this.#stream?.write(Buffer.from(lines))
    } catch (error) {
      this.#complain(error)
    }
  }

  /** For the process's exit, when nothing asynchronous happens any more. */
  exit(): void {
    const lines = this.#waiting
    try {
      if (this.#stream?.destroyed !== true) {
        this.handOver()
        this.#stream?.flushSync()
      }
    } catch {
      // Nobody is left to hear of it.
    }
    this.#state = "exiting"
    // pino has ended its destination on beforeExit; what came later is written past it.
    if (this.#stream?.destroyed) this.#late(lines)
  }

  #late(lines: string): void {
    if (this.#state === "closed" || lines === "") return
    try {
      if (this.#writer) this.#writer.write(lines)
      else if (this.#stream?.destroyed !== true || this.#fd() === STDOUT) writeSync(this.#fd(), lines)
    } catch {
      // As above.
    }
  }

  /** Once: a full disk must not fill the terminal as well. */
  #complain(error: unknown): void {
    // Whoever closes the pipe (`| head`) has read enough.
    if (this.#isBroken || (error as NodeJS.ErrnoException).code === "EPIPE") return
    this.#isBroken = true
    process.stderr.write(`trestle: the log cannot be written: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function isWriter(destination: Destination | undefined): destination is { write(lines: string): unknown } {
  return typeof destination === "object" && "write" in destination
}

const watched = new Set<Sink>()
const beforeExit = (): void => {
  for (const sink of watched) sink.handOver()
}
const exit = (): void => {
  for (const sink of watched) sink.exit()
}

/** One listener for all logs: a process with many test applications would else be warned of a leak. First, for pino ends its destinations on the same events. */
function watch(sink: Sink): void {
  if (watched.size === 0) process.prependListener("beforeExit", beforeExit).prependListener("exit", exit)
  watched.add(sink)
}

function unwatch(sink: Sink): void {
  watched.delete(sink)
  if (watched.size === 0) process.off("beforeExit", beforeExit).off("exit", exit)
}
