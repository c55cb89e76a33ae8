import { createReadStream, createWriteStream, existsSync, readdirSync, rmSync, statSync } from "node:fs"
import { rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGzip } from "node:zlib"
import type { LogFile } from "./log-file.ts"

/** `20261122T101416Z-0001`: the names stand in the order of the lines. */
const STAMP = /^(\d{8}T\d{6}Z)-(\d{4,})$/
const COMPRESSED = ".gz"
/** A compressed file under this name is not whole. */
const PART = ".gz.part"

/**
 * The rotated files of one log: names them, compresses them one after the other, removes the oldest. A compressed file gets its name when it
 * is whole, and the plain one goes after that; whatever moment a process ends at, `tidy` of the next one finishes it.
 */
export class LogArchive {
  readonly #file: LogFile
  readonly #complain: (error: Error) => void
  /** Put aside, and not compressed yet. */
  readonly #plain = new Set<string>()
  #work: Promise<void> = Promise.resolve()

  constructor(file: LogFile, complain: (error: Error) => void) {
    this.#file = file
    this.#complain = complain
  }

  /** A free name after all others, even where the clock has gone back. */
  nextName(epoch: number): string {
    const now = new Date(epoch)
      .toISOString()
      .replace(/\.\d+Z$/, "Z")
      .replaceAll(/[-:]/g, "")
    const newest = STAMP.exec(stampsOf(this.#file.path).at(-1) ?? "")
    if (!newest || newest[1]! < now) return `${this.#file.path}.${now}-0001`
    return `${this.#file.path}.${newest[1]}-${String(Number(newest[2]) + 1).padStart(4, "0")}`
  }

  /** Compresses a file that nobody writes to any more; and once more what could not be compressed before, on a full disk for one. */
  add(aside: string): void {
    this.#plain.add(aside)
    this.#work = this.#work.then(() => this.#compressAll())
  }

  /** Finishes what an earlier process has left, and keeps the limits. */
  tidy(): void {
    for (const stamp of stampsOf(this.#file.path)) {
      const plain = `${this.#file.path}.${stamp}`
      rmSync(plain + PART, { force: true })
      if (existsSync(plain)) this.#plain.add(plain)
    }
    this.#work = this.#work.then(() => this.#compressAll())
  }

  settled(): Promise<void> {
    return this.#work
  }

  /** What cannot be compressed counts as it is, so that a disk that our own files have filled gets its room back. */
  async #compressAll(): Promise<void> {
    for (const plain of this.#plain) await this.#compress(plain).catch(this.#complain)
    await this.#prune().catch(this.#complain)
  }

  async #compress(plain: string): Promise<void> {
    const whole = plain + COMPRESSED
    // Somebody may have taken it away.
    if (existsSync(plain) && !existsSync(whole)) {
      try {
        // On the disk before it has its name.
        const part = createWriteStream(plain + PART, { mode: 0o600, flush: true })
        await pipeline(createReadStream(plain), createGzip(), part)
        await rename(plain + PART, whole)
      } catch (error) {
        await rm(plain + PART, { force: true })
        throw error
      }
    }
    await rm(plain, { force: true })
    this.#plain.delete(plain)
  }

  async #prune(): Promise<void> {
    const { path, keepFiles, keepBytes } = this.#file
    let files = 0
    let bytes = 0
    for (const stamp of stampsOf(path).reverse()) {
      const names = [`${path}.${stamp}`, `${path}.${stamp}${COMPRESSED}`].filter((name) => existsSync(name))
      for (const name of names) bytes += (await stat(name)).size
      files++
      if (files <= keepFiles && bytes <= keepBytes) continue
      for (const name of names) await rm(name, { force: true })
      this.#plain.delete(`${path}.${stamp}`)
    }
  }
}

/** Of the rotated files, the oldest first. */
function stampsOf(path: string): string[] {
  const prefix = `${basename(path)}.`
  const stamps = readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length).replace(/\.gz(\.part)?$/, ""))
  return [...new Set(stamps.filter((stamp) => STAMP.test(stamp)))].sort()
}

/** The rotated files of a log, the oldest first. */
export function rotatedFiles(path: string): string[] {
  return stampsOf(path).flatMap((stamp) => {
    const found = [`${path}.${stamp}${COMPRESSED}`, `${path}.${stamp}`].find((name) => existsSync(name) && statSync(name).isFile())
    return found === undefined ? [] : [join(found)]
  })
}
