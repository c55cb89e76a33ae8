import { closeSync, mkdirSync, openSync, realpathSync, renameSync, statSync } from "node:fs"
import { dirname } from "node:path"
import type { Clock } from "../base/clock.ts"
import { failWith } from "../errors/trestle-error.ts"
import { openStream, type Stream } from "./destination.ts"
import { LogArchive } from "./log-archive.ts"
import { type LogLock, lockLogFile } from "./log-lock.ts"

/** A log file that begins anew from time to time. */
export interface LogFile {
  /** Lines are appended; its folder is made where it is missing; a link is followed. Readable and writable by its owner only. */
  readonly path: string
  /** Largest size; a batch of 32 kB may come on top. */
  readonly bytesMax: number
  /** Begins anew at each multiple of this since 1970 in UTC: a day is from midnight to midnight. */
  readonly everyMs: number
  /** Rotated files that are kept; older ones are removed. */
  readonly keepFiles: number
  /** What they may take together, compressed. */
  readonly keepBytes: number
}

const OWNER_ONLY = 0o600
/** After a failed rotation, which a full disk or a lost right brings, this is written before the next is tried. */
const RETRY_BYTES = 1_048_576

/**
 * Appends to a file, and puts it aside when it is full or its time is over: renamed at once, compressed in the background. Rotation is two
 * calls to the operating system between two batches, so no line is split, lost, or written twice; lines that are still on their way when
 * the file is renamed arrive in it under its new name.
 */
export class RotatingFile implements Stream {
  readonly #file: LogFile
  readonly #clock: Clock
  readonly #complain: (error: Error) => void
  readonly #lock: LogLock
  readonly #archive: LogArchive
  /** Put aside, with lines still on their way into them. */
  readonly #closing = new Map<Stream, Promise<void>>()
  #stream: Stream
  #fd: number
  #bytes: number
  #period: number
  #bytesMax: number
  destroyed = false

  /** @throws where the file cannot be opened, is no regular one, or another process writes to it. */
  constructor(given: LogFile, clock: Clock, complain: (error: Error) => void) {
    mkdirSync(dirname(given.path), { recursive: true, mode: 0o700 })
    const file = { ...given, path: regularFile(given.path) }
    this.#file = file
    this.#clock = clock
    this.#complain = complain
    this.#bytesMax = file.bytesMax
    this.#lock = lockLogFile(file.path)
    try {
      this.#fd = openSync(file.path, "a", OWNER_ONLY)
      const { size, mtimeMs } = statSync(file.path)
      this.#bytes = size
      // What stands in it was written then.
      this.#period = this.#periodOf(size === 0 ? clock.epoch() : mtimeMs)
    } catch (error) {
      this.#lock.release()
      throw error
    }
    this.#stream = openStream(this.#fd, complain)
    this.#archive = new LogArchive(file, complain)
    this.#archive.tidy()
  }

  get fd(): number {
    return this.#fd
  }

  write(lines: Buffer): void {
    const epoch = this.#clock.epoch()
    const isFull = this.#bytes + lines.length > this.#bytesMax
    if (this.#bytes > 0 && (isFull || this.#periodOf(epoch) !== this.#period)) this.#rotate(epoch)
    this.#bytes += lines.length
    this.#stream.write(lines)
  }

  flush(done: () => void): void {
    // A stream that is ending answers no flush; its end is as good.
    void Promise.all(this.#closing.values()).then(() => (this.#stream.destroyed ? done() : this.#stream.flush(done)))
  }

  flushSync(): void {
    for (const stream of [...this.#closing.keys(), this.#stream]) if (!stream.destroyed) stream.flushSync()
  }

  end(): void {
    this.destroyed = true
    this.#lock.release()
    if (!this.#stream.destroyed) this.#stream.end()
  }

  /** Errors go to `complain`. */
  on(): this {
    return this
  }

  /** Resolves when everything that was put aside is compressed and what is too old is gone. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing.values())
    await this.#archive.settled()
  }

  #periodOf(epoch: number): number {
    return Math.floor(epoch / this.#file.everyMs)
  }

  #rotate(epoch: number): void {
    const { path, bytesMax } = this.#file
    try {
      const aside = this.#archive.nextName(epoch)
      putAside(path, aside)
      const fd = this.#reopened(aside)
      const old = this.#stream
      this.#stream = openStream(fd, this.#complain)
      this.#fd = fd
      this.#bytes = 0
      this.#bytesMax = bytesMax
      this.#retire(old, aside)
    } catch (error) {
      // Better one file that is too large than lines that are lost.
      this.#bytesMax = this.#bytes + RETRY_BYTES
      this.#complain(error as Error)
    }
    this.#period = this.#periodOf(epoch)
  }

  #reopened(aside: string): number {
    const { path } = this.#file
    try {
      return openSync(path, "a", OWNER_ONLY)
    } catch (error) {
      renameSync(aside, path)
      throw error
    }
  }

  /** Its last lines first reach the file, under its new name. */
  #retire(old: Stream, aside: string): void {
    const closed = new Promise<void>((resolve) => {
      old.on("close", () => {
        this.#closing.delete(old)
        this.#archive.add(aside)
        resolve()
      })
    })
    this.#closing.set(old, closed)
    old.end()
  }
}

/**
 * The file itself, made if it is not there. To rename a link would put the link aside and leave the file; to rename `/dev/stdout` or
 * `/dev/null`, as root, would take it from the whole machine; and to open a pipe may never end.
 */
function regularFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found && !found.isFile()) {
    throw failWith("START_REFUSED", { note: "it is no regular file; for standard output leave TRESTLE_LOG_FILE out" })
  }
  // A link may lead to what is not there yet.
  closeSync(openSync(path, "a", OWNER_ONLY))
  return realpathSync(path)
}

function putAside(path: string, aside: string): void {
  try {
    renameSync(path, aside)
  } catch (error) {
    // Somebody has removed it: what comes now has a file again.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
  }
}
