/** The reference: a proxy of node:http and undici's `request` that does none of the job, body read once and answer piped. */
import { createServer, type IncomingMessage } from "node:http"
import { Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"
import { BOOKINGS_PATH } from "./job.ts"

const pool = new Pool(upstream, { connections: CONNECTIONS })
const jsonHeaders = { "content-type": "application/json" }

const server = createServer(async (req, res) => {
  try {
    const body = await bodyOf(req)
    const answer = await pool.request({ path: BOOKINGS_PATH, method: "POST", headers: jsonHeaders, body })
    const { "content-type": type, "content-length": length } = answer.headers as { "content-type": string; "content-length": string }
    res.writeHead(answer.statusCode, { "content-type": type, "content-length": length })
    answer.body.pipe(res)
  } catch {
    res.writeHead(502).end()
  }
})
server.listen(0, "127.0.0.1", readyOn(server))

function bodyOf(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    req.on("data", (chunk) => chunks.push(chunk))
    req.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    req.on("error", reject)
  })
}
