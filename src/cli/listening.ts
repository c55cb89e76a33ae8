import type { Environment } from "../config/environment.ts"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding, usage } from "./findings.ts"

const DEFAULT_PORT = 4000

/** The flag, else `PORT`. @throws {Stop} wrong usage. */
export function portFrom(flag: string | undefined, environment: Environment): number {
  const variable = environment.get("PORT")
  const text = flag ?? (variable?.value || undefined)
  if (text === undefined) return DEFAULT_PORT
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw usage(
    `${flag === undefined ? `PORT (from ${variable!.source})` : "--port"} is no port: "${text}"`,
    "A port is a number from 0 to 65535: --port 4000",
  )
}

const LISTEN_FAILURES: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: ["is already in use", "Stop the other program, or take another port: --port 4001 (--port 0 takes a free one)."],
  EACCES: ["may not be used by this user", "Take a port above 1023: --port 4000."],
  EADDRNOTAVAIL: ["is not an address of this machine", "Take --host 127.0.0.1 for this machine only, or --host 0.0.0.0 for every network."],
  ENOTFOUND: ["is not a host that can be found", "Take --host 127.0.0.1 for this machine only, or --host 0.0.0.0 for every network."],
}

/** What is wrong with an address that cannot be listened on; null for an error of another kind. */
export function listenRefusal(error: unknown, port: number, host: string): Stop | null {
  const known = LISTEN_FAILURES[(error as NodeJS.ErrnoException).code ?? ""]
  if (!known) return null
  const [what, fix] = known
  return new Stop(EXIT.noLoad, [cliFinding("TRS3005", `${host}:${port} ${what}`, fix, { at: `${host}:${port}` })])
}
