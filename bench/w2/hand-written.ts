/** The floor: the whole job by hand with node:http, ajv and undici, as nobody would want to maintain it. */
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Ajv } from "ajv"
import addFormats from "ajv-formats"
import pino from "pino"
import { Pool } from "undici"
import { CONNECTIONS, logFile, readyOn, upstream } from "../harness/subject.ts"
import {
  BOOKINGS_PATH,
  type Booked,
  buckets,
  holderOf,
  isRepeatableStatus,
  KEY_HEADER,
  limits,
  type Order,
  ROLE,
  toBooking,
  toReceipt,
  UpstreamFailed,
} from "./job.ts"
import { bookedSchema, orderSchema, receiptSchema } from "./json-schemas.ts"

const ajv = new Ajv()
;(addFormats as any)(ajv)
const isOrder = ajv.compile(orderSchema)
const isBooked = ajv.compile<Booked>(bookedSchema)
const isReceipt = ajv.compile(receiptSchema)
const log = pino({ base: null }, pino.destination({ dest: logFile, sync: false, minLength: 4096 }))
// undici's own timeouts share one coarse timer among all requests
const pool = new Pool(upstream, { connections: CONNECTIONS, headersTimeout: limits.timeoutMs, bodyTimeout: limits.timeoutMs })
const BODY_BYTES_MAX = 262_144

const server = createServer((req, res) => {
  const began = performance.now()
  const holder = holderOf(req.headers[KEY_HEADER] as string | undefined)
  answer(req, holder?.roles ?? null).then(
    (body) => finish(res, 200, body, began, holder?.id),
    (error) =>
      finish(
        res,
        error instanceof Refusal ? error.status : 502,
        error instanceof Refusal ? error.body : { error: "upstream failed" },
        began,
        holder?.id,
      ),
  )
})
server.listen(0, "127.0.0.1", readyOn(server))

class Refusal {
  status: number
  body: unknown
  constructor(status: number, body: unknown) {
    this.status = status
    this.body = body
  }
}

async function answer(req: IncomingMessage, roles: readonly string[] | null): Promise<unknown> {
  if (req.method !== "POST" || req.url !== "/orders") throw new Refusal(404, { error: "not found" })
  if (roles === null) throw new Refusal(401, { error: "unauthenticated" })
  if (!roles.includes(ROLE)) throw new Refusal(403, { error: "forbidden" })
  const order = parse(await bodyOf(req))
  if (!isOrder(order)) throw new Refusal(400, { error: "invalid", issues: isOrder.errors })
  const receipt = toReceipt(await book(JSON.stringify(toBooking(order as Order))))
  if (!isReceipt(receipt)) throw new UpstreamFailed("invalid receipt", false)
  return receipt
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, { error: "not JSON" })
  }
}

function bodyOf(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ""
    req.setEncoding("utf8")
    req.on("data", (chunk) => {
      text += chunk
      if (text.length > BODY_BYTES_MAX) reject(new Refusal(413, { error: "too large" }))
    })
    req.on("end", () => resolve(text))
    req.on("error", reject)
  })
}

// ---- retry( breaker( timeout )) by hand ----------------------------------------------------------------
const outcomes: number[] = new Array(limits.breaker.of).fill(0)
let outcomeAt = 0
let failures = 0
let openUntil = 0

async function book(body: string): Promise<Booked> {
  const headers = { "content-type": "application/json", "idempotency-key": randomUUID() }
  for (let attempt = 0; ; attempt++) {
    if (openUntil > 0 && performance.now() < openUntil) throw new UpstreamFailed("circuit open", false)
    try {
      const booked = await bookOnce(body, headers)
      record(0)
      return booked
    } catch (error) {
      if (error instanceof UpstreamFailed && !error.isRepeatable) throw error
      record(1)
      if (attempt >= limits.retries) throw error
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt * Math.random()))
    }
  }
}

function record(failed: 0 | 1): void {
  failures += failed - outcomes[outcomeAt]!
  outcomes[outcomeAt] = failed
  outcomeAt = (outcomeAt + 1) % outcomes.length
  if (openUntil > 0 && !failed) openUntil = 0
  if (failures >= limits.breaker.failures) openUntil = performance.now() + limits.breaker.restMs
}

async function bookOnce(body: string, headers: Record<string, string>): Promise<Booked> {
  const response = await pool.request({ path: BOOKINGS_PATH, method: "POST", headers, body })
  const text = await response.body.text()
  if (response.statusCode >= 300) throw new UpstreamFailed(`status ${response.statusCode}`, isRepeatableStatus(response.statusCode))
  const booked: unknown = JSON.parse(text)
  if (!isBooked(booked)) throw new UpstreamFailed("invalid answer", false)
  return booked
}

// ---- answer, log line, metrics ---------------------------------------------------------------------------
const counts = new Map<number, { requests: number; sum: number; buckets: number[] }>()

function finish(res: ServerResponse, status: number, body: unknown, began: number, key: string | undefined): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
  res.end(text)
  const ms = performance.now() - began
  const count = counts.get(status) ?? { requests: 0, sum: 0, buckets: new Array(buckets.length + 1).fill(0) }
  counts.set(status, count)
  count.requests++
  count.sum += ms
  let bucket = 0
  while (bucket < buckets.length && ms > buckets[bucket]! * 1_000) bucket++
  count.buckets[bucket]!++
  log.info({ method: "POST", route: "/orders", status, ms, key }, "request")
}
