import { createServer } from "node:http"
import { Pool } from "undici"

const pool = new Pool(process.env.UPSTREAM)
const server = createServer(async (req, res) => {
  const answer = await pool.request({ path: req.url, method: "GET" })
  res.writeHead(answer.statusCode, { "content-type": "application/json" }).end(await answer.body.text())
})
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }))
