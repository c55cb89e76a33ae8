import { openSync } from "node:fs"
import { pino } from "pino"
import { failWith } from "../errors/trestle-error.ts"
import type { LogFile } from "./log-file.ts"

/** Where finished lines go: a file's path, a file that rotates, or a writer, which gets some lines at a time. */
export type Destination = string | LogFile | { write(lines: string): unknown }

export const STDOUT = 1
/** Unwritten text at a destination that does not keep up; above it lines are dropped, so that a log cannot eat the memory. */
const BACKLOG_BYTES_MAX = 16 * 1_048_576
/** At a time, and only one write is under way: with pino's 16 kB a busy event loop writes slower than it logs. */
const WRITE_BYTES_MAX = 1_048_576

/** What is used of pino's destination; its types leave `destroyed` out, and `write` takes buffers in the `buffer` mode. */
export interface Stream {
  readonly destroyed: boolean
  write(lines: Buffer): unknown
  flush(done: () => void): void
  flushSync(): void
  end(): void
  on(event: "drop", heard: () => void): unknown
  on(event: "error", heard: (error: Error) => void): unknown
  on(event: "close", heard: () => void): unknown
}

/** pino's destination over a file descriptor. Writes what it is given at once; never lets an error end the process. */
export function openStream(fd: number, complain: (error: Error) => void): Stream {
  // As buffers: with texts the destination would encode each batch three times.
  const limits = { minLength: 1, maxLength: BACKLOG_BYTES_MAX, maxWrite: WRITE_BYTES_MAX }
  const settings = { dest: fd, sync: false, contentMode: "buffer" as const, ...limits }
  const stream = pino.destination(settings) as unknown as Stream
  stream.on("drop", () => complain(new Error("its destination does not keep up, lines are lost")))
  stream.on("error", complain)
  return stream
}

/**
 * Opened here and at once, so that a wrong path refuses the start instead of losing every line.
 *
 * @throws {TrestleError} `START_REFUSED`
 */
export function openFile(path: string): number {
  try {
    return openSync(path, "a")
  } catch (cause) {
    throw failWith("START_REFUSED", { cause, note: `the log file ${path} cannot be opened` })
  }
}
