import { z } from "zod"
import { ready, upstream } from "../harness/subject.ts"
import { anyone, op, rest, trestle } from "../trestle.ts"

const Item = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  priceCents: z.number().int(),
  currency: z.string(),
  inStock: z.boolean(),
  tags: z.array(z.string()),
  updatedAt: z.string(),
  rating: z.number(),
  reviews: z.number().int(),
})

const items = rest({ url: upstream })
const getItem = op({
  http: "GET /items/{id}",
  input: z.object({ id: z.string() }),
  output: Item,
  allow: anyone("benchmark"),
  anyObject: "items belong to nobody",
}).via(items.call("GET /items/{id}"))

const app = trestle({ name: "bench-w1", ops: { items: { get: getItem } } })
const running = await app.start()
const { url } = await running.listen({ port: 0 })
ready({ port: Number(new URL(url).port) })
