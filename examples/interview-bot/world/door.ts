import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { failurePage } from "./failure-page.ts"
import { queueOfTurns } from "./in-turn.ts"
import { type Mode, slowMs } from "./modes.ts"
import { type Answer, matchRoute, mayEnter, type Site } from "./site.ts"

const host = "127.0.0.1"
const bodyBytesMax = 1_000_000

/** Resolves after `ms`, rejects at once when `signal` aborts. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<unknown>

/** Hears of every request whose head arrived, by method and route, once its body is there; `undefined` when it never was, or is too long. */
export type Heard = (name: string, text: string | undefined) => void

export type Door = {
  url: string
  mode: () => Mode
  setMode: (mode: Mode) => Promise<void>
  /** Requests whose head arrived, by method and route, whatever was then answered. */
  arrivals: () => Record<string, number>
  close: () => Promise<void>
}

/** Serves `site` on a loopback port and plays its failures. */
export async function openDoor(site: Site, port: number, wait: Wait, heard: Heard = () => {}): Promise<Door> {
  let mode: Mode = "ok"
  let isClosed = false
  const arrivals: Record<string, number> = {}
  const server = createServer((request, response) => void respond(request, response))
  await listen(server, port)
  const address = server.address() as AddressInfo
  const inTurn = queueOfTurns()

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The mode at arrival holds for the whole request, so that one request never meets two failures.
    const modeAtArrival = mode
    const gone = new AbortController()
    response.once("close", () => gone.abort())
    try {
      const answer = await answerOf(site, request, arrivals, heard, gone.signal)
      // Only the answer waits: the effect has already happened, the worst case for a caller that gives up.
      if (modeAtArrival === "slow") await wait(slowMs, gone.signal)
      send(response, site, answer, modeAtArrival)
    } catch (error) {
      if (request.socket.destroyed) return
      console.error(error)
      send(response, site, site.error(500, "INTERNAL", "Something broke in the demo world itself; see its stderr."), modeAtArrival)
    }
  }

  async function setMode(next: Mode): Promise<void> {
    // A change of mode still waiting for its turn must not reopen a closed world.
    if (isClosed) return
    if (next === "refusing") await hangUp(server)
    else if (!server.listening) await listen(server, address.port)
    mode = next
  }

  return {
    url: `http://${host}:${address.port}`,
    mode: () => mode,
    setMode: (next) => inTurn(() => setMode(next)),
    arrivals: () => ({ ...arrivals }),
    close: () => {
      isClosed = true
      return inTurn(() => hangUp(server))
    },
  }
}

async function answerOf(
  site: Site,
  request: IncomingMessage,
  arrivals: Record<string, number>,
  heard: Heard,
  signal: AbortSignal,
): Promise<Answer> {
  const method = request.method ?? "GET"
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2)
  const match = matchRoute(site, method, path)
  const name = `${method} ${match?.route.path ?? "(no such route)"}`
  arrivals[name] = (arrivals[name] ?? 0) + 1
  let text: string | undefined
  try {
    text = await readText(request)
  } finally {
    heard(name, text)
  }
  if (!mayEnter(site, match, request.headers)) return site.error(401, "NO_AUTH", "A valid bearer token is needed.")
  if (!match) return site.error(404, "NO_SUCH_ROUTE", `There is no ${method} on this path.`)
  if (text === undefined) return site.error(413, "TOO_LARGE", `A body holds at most ${bodyBytesMax} bytes.`)
  return await match.route.answer({ params: match.params, query: new URLSearchParams(query), text, signal })
}

/** Reads to the end even when the body is too long, so that the refusal reaches the caller; keeps nothing then. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  let chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) chunks = []
    else chunks.push(chunk)
  }
  return bytes > bodyBytesMax ? undefined : Buffer.concat(chunks).toString("utf8")
}

function send(response: ServerResponse, site: Site, answer: Answer, mode: Mode): void {
  if (mode === "failing") {
    response.writeHead(500, { "content-type": "text/html; charset=iso-8859-1" }).end(failurePage)
    return
  }
  const body = mode === "drifting" && answer.status < 300 && site.drift ? site.drift(answer.body) : answer.body
  response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, () => {
      server.off("error", reject)
      resolve()
    })
  })
}

async function hangUp(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
