import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"

export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  readonly key: string
  /** What it said after its start. */
  readonly said: Readonly<Record<string, unknown>>[]
  /** Largest resident memory so far, in MiB. */
  peakMib(): number
  /** SIGTERM; how long it took to end, in milliseconds, and its exit code. */
  stop(): Promise<{ ms: number; code: number | null }>
}

export async function serverProcess(bodyLimit = "256kb"): Promise<ServerProcess> {
  const child: ChildProcess = spawn(process.execPath, ["--conditions=trestle-source", join(import.meta.dirname, "serve.ts"), bodyLimit], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  const said: Record<string, unknown>[] = []
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve))
  await new Promise<void>((resolve, reject) => {
    child.once("close", () => reject(new Error("the server did not start")))
    createInterface({ input: child.stdout! }).on("line", (line) => {
      said.push(JSON.parse(line))
      resolve()
    })
  })
  const { port, key } = said.shift() as { port: number; key: string }
  const stop = async (): Promise<{ ms: number; code: number | null }> => {
    const startedAt = performance.now()
    child.kill("SIGTERM")
    const code = await ended
    return { ms: performance.now() - startedAt, code }
  }
  return {
    pid: child.pid!,
    port,
    key,
    said,
    peakMib: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1_024,
    stop,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL")
      await ended
    },
  }
}
