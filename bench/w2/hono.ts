/** Hono with Zod and ky, which brings timeout and retry; the breaker is cockatiel's. */
import { randomUUID } from "node:crypto"
import { serve } from "@hono/node-server"
import { zValidator } from "@hono/zod-validator"
import { CountBreaker, circuitBreaker, handleWhen } from "cockatiel"
import { Hono } from "hono"
import { bodyLimit } from "hono/body-limit"
import { HTTPException } from "hono/http-exception"
import ky, { HTTPError } from "ky"
import { ready, upstream } from "../harness/subject.ts"
import { BOOKINGS_PATH, holderOf, isRepeatableStatus, KEY_HEADER, type KeyRecord, limits, ROLE, toBooking, toReceipt } from "./job.ts"
import { observe } from "./observe.ts"
import { BookedShape, OrderShape, ReceiptShape } from "./zod-schemas.ts"

const client = ky.create({
  timeout: limits.timeoutMs,
  retry: {
    limit: limits.retries,
    methods: ["post"],
    statusCodes: [408, 425, 429, 500, 502, 503, 504],
    retryOnTimeout: true,
    backoffLimit: 200,
  },
})
const breaker = circuitBreaker(
  handleWhen((error) => !(error instanceof HTTPError) || isRepeatableStatus(error.response.status)),
  {
    halfOpenAfter: limits.breaker.restMs,
    breaker: new CountBreaker({ threshold: (limits.breaker.failures - 0.5) / limits.breaker.of, size: limits.breaker.of }),
  },
)
const app = new Hono<{ Variables: { holder: KeyRecord } }>()

app.use(async (c, next) => {
  const began = performance.now()
  await next()
  observe(c.res.status, performance.now() - began, c.get("holder")?.id)
})
app.use(async (c, next) => {
  const holder = holderOf(c.req.header(KEY_HEADER))
  if (!holder) return c.json({ error: "unauthenticated" }, 401)
  c.set("holder", holder)
  if (!holder.roles.includes(ROLE)) return c.json({ error: "forbidden" }, 403)
  return next()
})
app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.json({ error: "upstream failed" }, 502)))

app.post("/orders", bodyLimit({ maxSize: 262_144 }), zValidator("json", OrderShape), async (c) => {
  const json = toBooking(c.req.valid("json"))
  const headers = { "idempotency-key": randomUUID() }
  const answer = await breaker.execute(() => client.post(upstream + BOOKINGS_PATH, { json, headers }).json())
  return c.json(ReceiptShape.parse(toReceipt(BookedShape.parse(answer))), 200)
})

serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, (address) => ready({ port: address.port }))
