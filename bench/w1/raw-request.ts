/** The reference: the shortest correct proxy of node:http and undici's `request`, body piped. */
import { createServer } from "node:http"
import { Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"

const pool = new Pool(upstream, { connections: CONNECTIONS })

const server = createServer(async (req, res) => {
  try {
    const answer = await pool.request({ path: req.url!, method: "GET" })
    const { "content-type": type, "content-length": length } = answer.headers as { "content-type": string; "content-length": string }
    res.writeHead(answer.statusCode, { "content-type": type, "content-length": length })
    answer.body.pipe(res)
  } catch {
    res.writeHead(502).end()
  }
})
server.listen(0, "127.0.0.1", readyOn(server))
