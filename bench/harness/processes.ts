/** Pinned child processes and their CPU time, read from /proc (Linux only). */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs"

export const SUBJECT_CORE = 0
export const DRIVER_CORE = 1
/** For a subject that has threads, and servers beside it. */
export const ALL_CORES = "0,1"

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"]))

/** What a child tells when it can be measured. Headers let a subject that makes its own keys say which to present. */
export interface Ready {
  port: number
  headers?: Record<string, string>
  rolelessHeaders?: Record<string, string>
}

export interface Launch {
  /** One, or several as `taskset` names them. */
  core: number | string
  file: string
  args?: string[]
  nodeArgs?: string[]
  env?: Record<string, string>
}

/** Starts a Node process on its core; output goes to LOG_FILE (default /dev/null), messages come over IPC. */
export function launch(options: Launch): ChildProcess {
  const out = openSync(logFile(), "a")
  const command = ["-c", String(options.core), process.execPath, ...(options.nodeArgs ?? []), options.file, ...(options.args ?? [])]
  const env = { ...process.env, NODE_ENV: "production", LOG_FILE: logFile(), ...options.env }
  const child = spawn("taskset", command, { stdio: ["ignore", out, "pipe", "ipc"], env })
  closeSync(out)
  return child
}

export function logFile(): string {
  return process.env.LOG_FILE ?? "/dev/null"
}

/** The next message of a child, or an error with what it wrote to stderr. */
export function nextMessage<T>(child: ChildProcess, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let errors = ""
    const onErrors = (chunk: Buffer) => (errors = (errors + chunk).slice(-8_000))
    const fail = (what: string) => {
      forget()
      reject(new Error(`${what}: ${essence(errors)}`))
    }
    const onMessage = (message: unknown) => {
      forget()
      resolve(message as T)
    }
    // "exit" may come before the last of stderr
    const onExit = (code: number | null) => setTimeout(fail, 50, `exit ${code}`)
    const timer = setTimeout(fail, timeoutMs, `no message within ${timeoutMs} ms`)
    const forget = () => {
      clearTimeout(timer)
      child.off("message", onMessage).off("exit", onExit).stderr?.off("data", onErrors).resume()
    }
    child.on("message", onMessage).on("exit", onExit).stderr?.on("data", onErrors)
  })
}

function essence(errors: string): string {
  const lines = errors.split("\n").map((line) => line.trim())
  return lines.find((line) => /Error\b.*:/.test(line)) ?? lines.filter(Boolean).at(-1) ?? "nothing on stderr"
}

/** Ends one child that `launch` started and waits until it is gone. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once("exit", resolve))
  child.kill("SIGKILL")
  await gone
}

/** Moves the calling process to a core, so that the orchestrator never disturbs the subject. */
export function pinSelf(core: number | string): void {
  execFileSync("taskset", ["-acp", String(core), String(process.pid)], { stdio: "ignore" })
}

/** CPU time in microseconds of a process, its threads, its living descendants and its ended, awaited children. */
export function cpuMicrosOfTree(root: number): number {
  const stats = allStats()
  let ticks = 0
  const waiting = [root]
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    ticks += stats.get(pid)?.ticks ?? 0
    for (const [child, stat] of stats) if (stat.parent === pid) waiting.push(child)
  }
  return (ticks / ticksPerSecond) * 1e6
}

function allStats(): Map<number, { parent: number; ticks: number }> {
  const found = new Map<number, { parent: number; ticks: number }>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat) found.set(Number(name), stat)
  }
  return found
}

function statOf(pid: number): { parent: number; ticks: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1")
    // fields count from the closing bracket: the command name may hold spaces
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    const [utime, stime, cutime, cstime] = [11, 12, 13, 14].map((at) => Number(fields[at]))
    return { parent: Number(fields[1]), ticks: utime! + stime! + cutime! + cstime! }
  } catch {
    return null // ended between the listing and the reading
  }
}
