import { fork } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { ProcessMemory } from "./process-memory.ts"

/** Of every operation of the application. */
export const DEADLINE_MS = 1_000
/** At each of its services; more calls wait for them. */
export const PLACES = 8

/** Where the services of the application are. */
export interface Places {
  readonly plain: string
  readonly tls: string
  readonly file: string
  /** `null` where there is no such server. */
  readonly postgres: string | null
}

/** What the calls of one order became. */
export interface Called {
  /** "ok", or the code and the reason that callers and operators heard. */
  readonly ends: readonly string[]
  readonly slowestMs: number
}

/** An application in a process of its own, so that its memory and its sockets can be seen; makes the calls that it is told to make. */
export interface CalledProcess extends AsyncDisposable {
  readonly pid: number
  /** Calls an operation so many times at once. */
  call(operation: string, times: number): Promise<Called>
  readonly memory: ProcessMemory
  /** Sockets that it has open for the application. */
  sockets(): number
  /** Closes the application, not the process. */
  close(): Promise<void>
}

export async function calledProcess(places: Places): Promise<CalledProcess> {
  const child = fork(join(import.meta.dirname, "called.ts"), [JSON.stringify(places)], {
    execArgv: ["--conditions=trestle-source", "--no-warnings"],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: join(import.meta.dirname, "../../cli/certificates/authority.pem") },
  })
  const ended = new Promise<never>((_, reject) => {
    child.once("close", (code) => reject(new Error(`the application has ended with ${code}`)))
  })
  ended.catch(() => undefined)
  const told = async <T>(order: object | null): Promise<T> => {
    const answered = once(child, "message")
    if (order !== null) child.send(order)
    const [message] = await Promise.race([answered, ended])
    return message as T
  }
  await told(null)
  const socketsAtFirst = socketsOf(child.pid!)
  return {
    pid: child.pid!,
    call: (operation, times) => told({ operation, times }),
    memory: new ProcessMemory(child.pid!),
    sockets: () => socketsOf(child.pid!) - socketsAtFirst,
    close: () => told({ close: true }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await ended.catch(() => undefined)
    },
  }
}

/** Those of IPC included. Source: proc(5), /proc/pid/fd. */
function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`).startsWith("socket:")).length
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed between the listing and the look.
    return ""
  }
}
