/** Fastify with undici's `request`, the answer's body read as text: for 300 bytes much cheaper than a pipe. */
import Fastify from "fastify"
import { Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"

const pool = new Pool(upstream, { connections: CONNECTIONS })
const app = Fastify()

app.get<{ Params: { id: string } }>("/items/:id", async (request, reply) => {
  const answer = await pool.request({ path: `/items/${encodeURIComponent(request.params.id)}`, method: "GET" })
  reply.code(answer.statusCode).header("content-type", answer.headers["content-type"])
  return answer.body.text()
})

await app.listen({ port: 0, host: "127.0.0.1" })
readyOn(app.server)()
