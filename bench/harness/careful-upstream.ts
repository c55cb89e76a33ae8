/** The upstream of the checks before a measurement: a real HTTP server that remembers what reached it. */
import { createServer, type IncomingHttpHeaders } from "node:http"
import { text } from "node:stream/consumers"

export interface Seen {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: any
}

export interface Reply {
  status: number
  body: unknown
  delayMs?: number
}

/** Runs `use` while an upstream answers by `reply`; `seen` grows with every request. */
export async function withUpstream<T>(
  reply: (request: Seen, seen: Seen[]) => Reply,
  use: (url: string, seen: Seen[]) => Promise<T>,
): Promise<T> {
  const seen: Seen[] = []
  const server = createServer(async (req, res) => {
    const body = await text(req).catch(() => "")
    const request = { method: req.method!, url: req.url!, headers: req.headers, body: body ? JSON.parse(body) : null }
    seen.push(request)
    const answer = reply(request, seen)
    await new Promise((resolve) => setTimeout(resolve, answer.delayMs ?? 0))
    const json = JSON.stringify(answer.body)
    res.writeHead(answer.status, { "content-type": "application/json", "content-length": Buffer.byteLength(json) }).end(json)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    return await use(`http://127.0.0.1:${(server.address() as { port: number }).port}`, seen)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Collects differences instead of stopping at the first. */
export function difference(wrong: string[], what: string, actual: unknown, expected: unknown): void {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== e) wrong.push(`${what}: expected ${e}, got ${a?.slice(0, 300)}`)
}
