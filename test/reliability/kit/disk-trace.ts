// What a process has written to its files and flushed, as the system saw it: enough to say what a loss of power would have left.
import { basename } from "node:path"

/** What strace must be told. Every string whole and in hexadecimal, each descriptor with its path. */
export const TRACE_ARGS = ["-f", "-qq", "-y", "-xx", "-s", "70000", "-e", "trace=pwrite64,fsync,fdatasync,ftruncate,unlink,write"] as const

const PAGE_BYTES = 4_096

interface TracedFile {
  /** As the next process would read it. */
  cached: Buffer
  /** As it stands on the disk. */
  flushed: Buffer
  /** Numbers of the pages that the next flush will write. One that fails forgets them, as Linux does: the flush after it has nothing to do. */
  readonly dirty: Set<number>
}

/** The files of one folder, followed through a trace. */
export class TracedDisk {
  readonly #files = new Map<string, TracedFile>()
  /** Calls that another thread's came in between. */
  readonly #unfinished = new Map<string, string>()
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** What has been flushed, by name: nothing else survives. */
  flushed(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#files].map(([path, { flushed }]) => [basename(path), flushed]))
  }

  /** Takes one line; gives what the process has said with it on its standard output. */
  follow(line: string): string | null {
    const [, thread, said] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (thread === undefined || said === undefined) return null
    if (said.endsWith("<unfinished ...>")) {
      this.#unfinished.set(thread, said.slice(0, -"<unfinished ...>".length))
      return null
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(said)
    return this.#call(resumed ? (this.#unfinished.get(thread) ?? "") + resumed[1] : said)
  }

  #call(call: string): string | null {
    const removed = /^unlink\("([^"]*)"\) = 0/.exec(call)
    // Counted at once: the folder is flushed when the log, which is made next, is flushed for the first time.
    if (removed) this.#files.delete(unescaped(removed[1]!).toString())
    const [, name, descriptor, path, args] = /^(\w+)\((\d+)<([^>]*)>(.*)$/.exec(call) ?? []
    if (name === undefined) return null
    const hasFailed = / = -1 /.test(args!)
    if (name === "write") return descriptor === "1" ? unescaped(/"([^"]*)"/.exec(args!)![1]!).toString() : null
    const at = unescaped(path!).toString()
    if (!at.startsWith(`${this.#folder}/`)) return null
    const file = this.#files.get(at) ?? { cached: Buffer.alloc(0), flushed: Buffer.alloc(0), dirty: new Set() }
    this.#files.set(at, file)
    if (name === "fsync" || name === "fdatasync") flush(file, hasFailed)
    else if (hasFailed) return null
    else if (name === "pwrite64") patch(file, args!)
    else file.cached = resized(file.cached, Number(/^, (\d+)/.exec(args!)![1]))
    return null
  }
}

function patch(file: TracedFile, args: string): void {
  // Of a write in which its process was killed nobody says how much was done: "?".
  const [, text, position, written] = /^, "([^"]*)", \d+, (\d+)\)\s+= (\d+|\?)/.exec(args)!
  const bytes = unescaped(text!).subarray(0, written === "?" ? undefined : Number(written))
  const start = Number(position)
  const end = start + bytes.length
  if (file.cached.length < end) file.cached = resized(file.cached, end)
  bytes.copy(file.cached, start)
  for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < end; page++) file.dirty.add(page)
}

function flush(file: TracedFile, hasFailed: boolean): void {
  if (!hasFailed) {
    // How long it is, is a matter of the file system's own journal.
    file.flushed = resized(file.flushed, file.cached.length)
    for (const page of file.dirty) file.cached.copy(file.flushed, page * PAGE_BYTES, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  }
  file.dirty.clear()
}

function resized(bytes: Buffer, size: number): Buffer {
  const other = Buffer.alloc(size)
  bytes.copy(other, 0, 0, size)
  return other
}

function unescaped(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex")
}
