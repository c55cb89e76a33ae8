/** The good peer: Fastify with ajv, a key hook, undici, cockatiel, pino and prom-client. */
import { randomUUID } from "node:crypto"
import { Ajv } from "ajv"
import Fastify from "fastify"
import { Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"
import {
  BOOKINGS_PATH,
  type Booked,
  holderOf,
  isRepeatableStatus,
  KEY_HEADER,
  type KeyRecord,
  type Order,
  ROLE,
  toBooking,
  toReceipt,
  UpstreamFailed,
} from "./job.ts"
import { bookedSchema, orderSchema, receiptSchema } from "./json-schemas.ts"
import { observe } from "./observe.ts"
import { policy } from "./resilience.ts"

declare module "fastify" {
  interface FastifyRequest {
    holder: KeyRecord | null
  }
}

const pool = new Pool(upstream, { connections: CONNECTIONS })
const isBooked = new Ajv().compile<Booked>(bookedSchema)
const isReceipt = new Ajv().compile(receiptSchema)
// Fastify's defaults would drop unknown fields and turn "3" into 3; the job says refuse
const app = Fastify({ bodyLimit: 262_144, ajv: { customOptions: { removeAdditional: false, coerceTypes: false } } })

app.decorateRequest("holder", null)
app.addHook("onRequest", (request, reply, done) => {
  request.holder = holderOf(request.headers[KEY_HEADER] as string | undefined)
  if (!request.holder) reply.code(401).send({ error: "unauthenticated" })
  else if (!request.holder.roles.includes(ROLE)) reply.code(403).send({ error: "forbidden" })
  else done()
})
app.addHook("onResponse", (request, reply, done) => {
  observe(reply.statusCode, reply.elapsedTime, request.holder?.id)
  done()
})
app.setErrorHandler((error: any, _request, reply) => {
  if (error.validation) reply.code(400).send({ error: "invalid", issues: error.validation })
  else reply.code(error.statusCode ?? 502).send({ error: error.statusCode ? error.message : "upstream failed" })
})

app.post<{ Body: Order }>("/orders", { schema: { body: orderSchema, response: { 200: receiptSchema } } }, async (request) => {
  const body = JSON.stringify(toBooking(request.body))
  const headers = { "content-type": "application/json", "idempotency-key": randomUUID() }
  const receipt = toReceipt(await policy.execute(({ signal }) => book(body, headers, signal)))
  if (!isReceipt(receipt)) throw new UpstreamFailed("invalid receipt", false)
  return receipt
})

async function book(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Booked> {
  const response = await pool.request({ path: BOOKINGS_PATH, method: "POST", headers, body, signal })
  const text = await response.body.text()
  if (response.statusCode >= 300) throw new UpstreamFailed(`status ${response.statusCode}`, isRepeatableStatus(response.statusCode))
  const booked: unknown = JSON.parse(text)
  if (!isBooked(booked)) throw new UpstreamFailed("invalid answer", false)
  return booked
}

await app.listen({ port: 0, host: "127.0.0.1" })
readyOn(app.server)()
