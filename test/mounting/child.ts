import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"

export interface Child {
  readonly process: ChildProcess
  /** Every line that it has written, as far as it is JSON. */
  readonly lines: Record<string, any>[]
  /** The first line for which `is` holds. */
  until(is: (line: Record<string, any>) => boolean): Promise<Record<string, any>>
  /** SIGTERM; its exit code, or the signal that ended it. */
  stop(): Promise<number | string>
}

/** Runs a file as a user would: Node itself, without the test runner. */
export function run(file: string, env: Readonly<Record<string, string>> = {}): Child {
  const child = spawn(process.execPath, ["--conditions=trestle-source", file], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TRESTLE_LOG: "", ...env },
  })
  const lines: Record<string, any>[] = []
  const waiting = new Set<() => void>()
  const ended = new Promise<number | string>((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal!)))
  createInterface({ input: child.stdout! }).on("line", (line) => {
    if (!line.startsWith("{")) return
    lines.push(JSON.parse(line))
    for (const look of waiting) look()
  })
  const until: Child["until"] = (is) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find(is)
        if (found) resolve(found)
      }
      waiting.add(look)
      void ended.then((how) => reject(new Error(`${file} ended: ${how}`)))
      look()
    })
  const stop = (): Promise<number | string> => {
    child.kill("SIGTERM")
    return ended
  }
  return { process: child, lines, until, stop }
}
