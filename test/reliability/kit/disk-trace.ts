// What a process has written to its files and flushed, as the system saw it: enough to say what a loss of power would have left.
import { basename } from "node:path"

/** What strace must be told. Every string whole and in hexadecimal, each descriptor with its path. */
export const TRACE_ARGS = ["-f", "-qq", "-y", "-xx", "-s", "70000", "-e", "trace=pwrite64,fsync,fdatasync,ftruncate,unlink,write"] as const

interface TracedFile {
  /** As the next process would read it. */
  cached: Buffer
  /** As it was when its last flush began. */
  flushed: Buffer
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
    if (name === undefined || / = -1 /.test(args!)) return null
    if (name === "write") return descriptor === "1" ? unescaped(/"([^"]*)"/.exec(args!)![1]!).toString() : null
    const at = unescaped(path!).toString()
    if (!at.startsWith(`${this.#folder}/`)) return null
    const file = this.#files.get(at) ?? { cached: Buffer.alloc(0), flushed: Buffer.alloc(0) }
    this.#files.set(at, file)
    if (name === "pwrite64") patch(file, args!)
    else if (name === "ftruncate") resize(file, Number(/^, (\d+)/.exec(args!)![1]))
    else file.flushed = Buffer.from(file.cached)
    return null
  }
}

function patch(file: TracedFile, args: string): void {
  const [, text, position, written] = /^, "([^"]*)", \d+, (\d+)\) = (\d+)/.exec(args)!
  const bytes = unescaped(text!).subarray(0, Number(written))
  const end = Number(position) + bytes.length
  if (file.cached.length < end) resize(file, end)
  bytes.copy(file.cached, Number(position))
}

function resize(file: TracedFile, size: number): void {
  const resized = Buffer.alloc(size)
  file.cached.copy(resized, 0, 0, size)
  file.cached = resized
}

function unescaped(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex")
}
