import { anyone, op, rest, trestle } from "trestle"
import { z } from "zod"

const items = rest({ url: process.env.UPSTREAM })
const get = op({
  http: "GET /items/{id}",
  input: z.object({ id: z.string() }),
  output: z.object({ id: z.string(), name: z.string() }),
  allow: anyone("benchmark"),
  anyObject: "items belong to nobody",
}).via(items.call("GET /items/{id}"))
const running = await trestle({ name: "bench-w5", ops: { items: { get } } }).start()
const { url } = await running.listen({ port: 0 })
process.send({ port: Number(new URL(url).port) })
