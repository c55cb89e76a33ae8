import Fastify from "fastify"
import { Pool } from "undici"

const pool = new Pool(process.env.UPSTREAM)
const app = Fastify({ logger: true })
app.get("/items/:id", async (request, reply) => {
  const answer = await pool.request({ path: `/items/${encodeURIComponent(request.params.id)}`, method: "GET" })
  reply.code(answer.statusCode).header("content-type", "application/json")
  return answer.body.text()
})
await app.listen({ port: 0, host: "127.0.0.1" })
process.send({ port: app.server.address().port })
