/** Fastify with undici's `request`, the answer's body handed on as a stream. */
import Fastify from "fastify"
import { Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"

const pool = new Pool(upstream, { connections: CONNECTIONS })
const app = Fastify()

app.get<{ Params: { id: string } }>("/items/:id", async (request, reply) => {
  const { statusCode, headers, body } = await pool.request({ path: `/items/${encodeURIComponent(request.params.id)}`, method: "GET" })
  return reply
    .code(statusCode)
    .header("content-type", headers["content-type"])
    .header("content-length", headers["content-length"])
    .send(body)
})

await app.listen({ port: 0, host: "127.0.0.1" })
readyOn(app.server)()
