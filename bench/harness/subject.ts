/** What every measured server needs: where the upstream is, where the log goes, and how to say "ready". */
import type { Ready } from "./processes.ts"

export const upstream: string = process.env.UPSTREAM ?? "http://127.0.0.1:9"
export const logFile: string = process.env.LOG_FILE ?? "/dev/null"
/** As many upstream connections as there are callers, for everybody. */
export const CONNECTIONS = 64

export function ready(message: Ready): void {
  process.send?.(message)
}

/** For `server.listen(0, "127.0.0.1", readyOn(server))`. */
export function readyOn(server: { address(): unknown }): () => void {
  return () => ready({ port: (server.address() as { port: number }).port })
}
