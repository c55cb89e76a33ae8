import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { hostname } from "node:os"
import { resolve } from "node:path"
import { failWith } from "../errors/trestle-error.ts"

/** The right to write to a log file and to rename it. */
export interface LogLock {
  release(): void
}

/** Of this process. */
const held = new Set<string>()

/**
 * One process a log file: a second one would go on writing to what the first has put aside to be compressed. What a dead process of this
 * machine has left is taken over; processes on other machines, and in other containers, are not seen.
 *
 * @throws {TrestleError} `START_REFUSED`
 */
export function lockLogFile(path: string): LogLock {
  const lock = resolve(`${path}.lock`)
  const mine = `${process.pid} ${hostname()}\n`
  if (!held.has(lock) && isLeftover(lock)) rmSync(lock, { force: true })
  try {
    const fd = openSync(lock, "wx", 0o600)
    writeSync(fd, mine)
    closeSync(fd)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    throw failWith("START_REFUSED", {
      cause,
      note: `process ${holderOf(lock)?.pid ?? "?"} writes to it; if that is none of yours, remove ${lock}`,
    })
  }
  held.add(lock)
  return {
    release: () => {
      if (held.delete(lock)) rmSync(lock, { force: true })
    },
  }
}

function isLeftover(lock: string): boolean {
  const holder = holderOf(lock)
  if (holder === null) return false
  // In a container every process has the same number.
  if (holder.pid === process.pid || holder.host !== hostname()) return true
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}

function holderOf(lock: string): { pid: number; host: string } | null {
  try {
    const [pid = "", host = ""] = readFileSync(lock, "utf8").trim().split(" ")
    return { pid: Number(pid), host }
  } catch {
    return null
  }
}
