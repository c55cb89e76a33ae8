import type { Server } from "node:http"
import { Server as NetServer } from "node:net"
import { setTimeout as pause } from "node:timers/promises"

/** How long clients get to hear that they should go elsewhere. */
const LEAVE_MS_MAX = 1_000
/** How long the first request on a connection made just before may still be on its way. */
const LAST_MS_MAX = 100
const LOOK_MS = 10

/**
 * The first part of an orderly end. For up to a second everybody is still answered, on new connections too, readiness says no, and each
 * answer ends its connection; then nobody new is let in. Without it the server would close kept-alive connections at the moment when
 * clients write their next requests on them. Over as soon as no connection is left.
 */
export async function leave(server: Server): Promise<void> {
  if (!server.listening) return
  server.prependListener("request", (_request, response) => response.setHeader("connection", "close"))
  await untilEmpty(server, LEAVE_MS_MAX)
  // Not `server.close()`, which would also end the connections without a request at once.
  NetServer.prototype.close.call(server)
  await untilEmpty(server, LAST_MS_MAX)
}

async function untilEmpty(server: Server, msMax: number): Promise<void> {
  const until = performance.now() + msMax
  while (performance.now() < until && (await connectionsOf(server)) > 0) await pause(LOOK_MS)
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)))
}
