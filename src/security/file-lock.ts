import { readlinkSync } from "node:fs"
import { open, readFile, rm } from "node:fs/promises"
import { hostname } from "node:os"
import type { Random } from "../base/random.ts"
import { TrestleError } from "../errors/trestle-error.ts"

export interface LockOptions {
  readonly random: Random
  readonly pause: (delayMs: number) => Promise<void>
}

/** The right to change what the lock stands for, while the work runs. */
export interface HeldLock {
  /** Unique to this holding. */
  readonly token: string
  /**
   * Ask before making a change visible: a holder that was suspended for long has been taken for dead.
   * @throws {TrestleError} `UNAVAILABLE` when the lock has been lost.
   */
  confirm(): Promise<void>
}

/** Work under the lock takes milliseconds. Whoever has watched the same holder for this long takes it for dead. */
export const LOCK_HELD_MS_MAX = 10_000
const WAIT_MS_MAX = 30_000
const RETRY_MS_MIN = 5
const RETRY_MS_SPREAD = 20

/**
 * Runs `work` while no other process runs any under the same lock file.
 *
 * A lock left by a process that died on this machine is removed at once, any other leftover after `LOCK_HELD_MS_MAX`. Age is what this
 * process has watched, never a comparison of clocks. Made for work of milliseconds; fair to nobody.
 *
 * @throws {TrestleError} `UNAVAILABLE` when the lock cannot be had within 30 s, or its folder not be written; the note names the file.
 */
export async function withFileLock<T>(file: string, options: LockOptions, work: (lock: HeldLock) => Promise<T>): Promise<T> {
  const token = options.random.hex(16)
  const mine = JSON.stringify({ pid: process.pid, where: here(), token })
  await acquire(file, mine, options)
  const confirm = async (): Promise<void> => {
    if ((await contentOf(file)) !== mine) throw unavailable(`lost the lock ${file} to another process; nothing was changed, try again`)
  }
  try {
    return await work({ token, confirm })
  } finally {
    if ((await contentOf(file)) === mine) await rm(file, { force: true })
  }
}

async function acquire(file: string, mine: string, { random, pause }: LockOptions): Promise<void> {
  let watched: string | null = null
  let watchedMs = 0
  let waitedMs = 0
  while (waitedMs < WAIT_MS_MAX) {
    if (await create(file, mine)) return
    const holder = await contentOf(file)
    if (holder !== watched) watchedMs = 0
    watched = holder
    const isLeftover = holder !== null && (isDead(holder) || watchedMs >= LOCK_HELD_MS_MAX)
    if (isLeftover && (await removeLeftover(file, holder))) continue
    const delayMs = RETRY_MS_MIN + random.next() * RETRY_MS_SPREAD
    await pause(delayMs)
    watchedMs += delayMs
    waitedMs += delayMs
  }
  throw unavailable(
    `cannot get the lock ${file} within ${WAIT_MS_MAX} ms; if no Trestle process is running, remove it and ${guardOf(file)}`,
  )
}

/**
 * Two processes may find the same leftover; the slower one must not remove the lock that the faster one has made since. So only one at
 * a time may remove, and it looks again first. A crash in this very moment, on top of the first one, is left to the operator.
 */
async function removeLeftover(file: string, holder: string): Promise<boolean> {
  const guard = guardOf(file)
  if (!(await create(guard, ""))) return false
  try {
    if ((await contentOf(file)) === holder) await rm(file, { force: true })
    return true
  } finally {
    await rm(guard, { force: true })
  }
}

function guardOf(file: string): string {
  return `${file}.break`
}

/** `false` when the file exists. */
async function create(file: string, content: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600)
    try {
      await handle.writeFile(content)
    } catch (error) {
      await rm(file, { force: true })
      throw error
    } finally {
      await handle.close()
    }
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Windows says EPERM while the former file is still being deleted.
    if (code === "EEXIST" || (code === "EPERM" && process.platform === "win32")) return false
    throw unavailable(`cannot create the lock ${file} (${code}); this user must be able to write its folder`, error)
  }
}

/** `null` when there is no such file. */
async function contentOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null
    throw unavailable(`cannot read the lock ${file}`, error)
  }
}

function isDead(holder: string): boolean {
  try {
    const { pid, where } = JSON.parse(holder) as { pid: unknown; where: unknown }
    if (where !== here() || !Number.isSafeInteger(pid) || (pid as number) <= 0) return false
    process.kill(pid as number, 0)
    return false
  } catch (error) {
    // A lock without content is one whose maker is just writing it, or died in between: only watching can tell.
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}

/** Where process ids mean the same: containers may share a folder and a host name, but not their processes. */
function here(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`
  } catch {
    return hostname()
  }
}

function unavailable(note: string, cause?: unknown): TrestleError {
  return new TrestleError("UNAVAILABLE", undefined, { note, cause })
}
