// R2: a disk that is full, a flush that fails, writes that a loss of power takes away, a record that is torn.
import { spawnSync } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { TRACE_ARGS, TracedDisk } from "../kit/disk-trace.ts"
import { Ledger, lookInto, type StoreFindings } from "../kit/store-ledger.ts"
import { WriterProcess } from "../kit/writer-process.ts"

export interface DamageFigures extends StoreFindings {
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
  /** Why units were not kept, as it was said. */
  readonly notes: readonly string[]
}

/** What a run needs and this machine lacks; `null` when it has it. */
export function lackOf(need: "strace" | "a mount of its own"): string | null {
  const trial =
    need === "strace"
      ? spawnSync("strace", ["-qq", "-o", "/dev/null", "true"])
      : spawnSync("unshare", ["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
  return trial.status === 0 ? null : `${need} cannot be had here: ${trial.error?.message ?? String(trial.stderr).trim()}`
}

/** The disk fills up, and has room again, under a process that keeps units; then kill -9. @param folder on which the disk is mounted */
export function fullDisk(folder: string): DamageFigures & { readonly keptWhenFull: number } {
  const program = new URL("../kit/full-disk-process.ts", import.meta.url).pathname
  const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" --no-warnings "$3" "$1"'
  const args = ["--map-root-user", "--mount", "sh", "-c", script, "sh", folder, process.execPath, program]
  const { stdout, stderr, status } = spawnSync("unshare", args, { encoding: "utf8", timeout: 60_000 })
  if (status !== 0) throw new Error(`the process on the full disk has failed: ${stderr}`)
  return JSON.parse(stdout)
}

/** Every `every`th flush fails, from a `first` one on; then kill -9. */
export async function failingFlush(
  file: string,
  { first, every }: { readonly first: number; readonly every: number },
): Promise<DamageFigures> {
  const inject = `inject=fsync,fdatasync:error=EIO:when=${first}+${every}`
  const wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject]
  // Where the flushes of an opening and of a commit fall together with those that fail, it may never get anything done.
  const isStuck = ({ refused, unknown }: Ledger): boolean => refused.size + unknown.size >= 2_000
  return ranUntil(file, wrapper, (ledger) => isStuck(ledger) || (ledger.kept.size >= 300 && ledger.unknown.size >= 50))
}

/** No file may grow beyond a limit: writes fail as on a disk that is broken; then kill -9. */
export async function failingWrites(file: string, limitKib: number): Promise<DamageFigures> {
  const wrapper = ["sh", "-c", `ulimit -f ${limitKib * 2}; exec "$@"`, "sh"]
  return ranUntil(file, wrapper, ({ kept, refused, unknown }) => kept.size >= 50 && refused.size + unknown.size >= 50)
}

async function ranUntil(file: string, wrapper: readonly string[], isEnough: (ledger: Ledger) => boolean): Promise<DamageFigures> {
  const ledger = new Ledger()
  const writer = new WriterProcess(file, ledger, { wrapper })
  try {
    await writer.until(isEnough)
  } finally {
    await writer.kill()
  }
  const { kept, refused, unknown, notes } = ledger
  return { ...(await lookInto(file, ledger)), acknowledged: kept.size, refused: refused.size, unknown: unknown.size, notes: [...notes] }
}

export interface LossPlan {
  /** At how many places of the run the power is lost. */
  readonly cuts: number
  /** How many units are acknowledged in it. */
  readonly acknowledged: number
  /** Whether another process was there before, until all its flushes failed, and was killed. */
  readonly isAfterFailure?: boolean
}

/**
 * What would be there after a loss of power: at some places of a run, everything that was not flushed by then is taken away, and the rest is
 * opened. kill -9 alone leaves what the system had not written yet.
 */
export async function lostWrites(folder: string, { cuts, acknowledged, isAfterFailure = false }: LossPlan) {
  const data = join(folder, "data")
  mkdirSync(data)
  const traced = async (isEnough: (ledger: Ledger) => boolean, inject: readonly string[]): Promise<string> => {
    const trace = join(folder, `trace-${inject.length}`)
    const writer = new WriterProcess(join(data, "notes.db"), new Ledger(), { wrapper: ["strace", ...TRACE_ARGS, ...inject, "-o", trace] })
    await writer.until(isEnough)
    await writer.kill()
    return readFileSync(trace, "utf8")
  }
  const failing = ["-e", "inject=fsync,fdatasync:error=EIO:when=40+"]
  const before = isAfterFailure ? await traced(({ unknown, refused }) => unknown.size + refused.size > 20, failing) : ""
  const trace = before + (await traced(({ kept }) => kept.size >= acknowledged, []))
  return lossesIn(trace, { folder, data, cuts, acknowledged })
}

async function lossesIn(
  trace: string,
  { folder, data, cuts, acknowledged }: LossPlan & { readonly folder: string; readonly data: string },
) {
  const disk = new TracedDisk(data)
  const heard = new Ledger()
  const found: (StoreFindings & { readonly acknowledged: number })[] = []
  for (const line of trace.split("\n")) {
    const said = disk.follow(line)?.trim()
    if (!said) continue
    heard.note(said)
    if (heard.kept.size < ((found.length + 1) * acknowledged) / cuts || found.length === cuts) continue
    const after = mkdtempSync(join(folder, "after-"))
    for (const [name, bytes] of disk.flushed()) writeFileSync(join(after, name), bytes)
    found.push({ ...(await lookInto(join(after, "notes.db"), heard)), acknowledged: heard.kept.size })
  }
  return found
}

const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** Where the last whole record of a write-ahead log begins and ends. Source: sqlite.org/fileformat2.html, "The Write-Ahead Log" */
function lastRecord(log: Buffer): { readonly start: number; readonly end: number } {
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8)
  const salt = log.subarray(16, 24)
  let [start, end] = [WAL_HEADER_BYTES, WAL_HEADER_BYTES]
  for (let at = WAL_HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    if (!log.subarray(at + 8, at + 16).equals(salt)) break
    // The frame that ends a transaction says how large the file is then.
    if (log.readUInt32BE(at + 4) > 0) [start, end] = [end, at + frameBytes]
  }
  return { start, end }
}

/** A store whose last record, of one unit, is torn: `damage` does it, at a place between its beginning (0) and its end (1). */
export class TornRecord {
  readonly #file: string
  readonly #folder: string
  /** All that was kept before it, in order. */
  readonly ledger = new Ledger()

  constructor(folder: string) {
    this.#folder = folder
    this.#file = join(folder, "notes.db")
  }

  async write(): Promise<void> {
    const writer = new WriterProcess(this.#file, this.ledger, { callers: 1 })
    await writer.until(({ kept }) => kept.size >= 30)
    await writer.kill()
  }

  async after(damage: "cut" | "garbled", part: number): Promise<StoreFindings> {
    const copy = join(mkdtempSync(join(this.#folder, "torn-")), "notes.db")
    copyFileSync(this.#file, copy)
    const log = readFileSync(`${this.#file}-wal`)
    const { start, end } = lastRecord(log)
    const at = Math.min(start + Math.floor((end - start) * part), end - 1)
    writeFileSync(`${copy}-wal`, log)
    if (damage === "cut") truncateSync(`${copy}-wal`, at)
    else writeFileSync(`${copy}-wal`, Buffer.concat([log.subarray(0, at), Buffer.from([log[at]! ^ 0xff]), log.subarray(at + 1)]))
    if (!existsSync(copy)) throw new Error("there is no copy")
    return lookInto(copy, { kept: new Set(), refused: new Set() })
  }
}
