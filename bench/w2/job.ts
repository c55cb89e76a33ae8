/**
 * W2's job, the same for everybody: shapes, mapping, limits, keys.
 *
 * POST /orders: API key (stored hashed, found by its public part, compared in constant time), role, validated body, mapped, POSTed to the
 * ordering service under timeout, retry and circuit breaker, answer validated and mapped, one log line, a counter and a histogram.
 */
import { hash, timingSafeEqual } from "node:crypto"

export interface Order {
  customer: { id: string; email: string }
  lines: { sku: string; quantity: number; priceCents: number }[]
  currency: "EUR" | "USD" | "GBP"
  shipTo: { street: string; city: string; country: string }
  express: boolean
  note?: string | undefined
}

export interface Receipt {
  id: string
  state: "accepted" | "queued"
  totalCents: number
  currency: string
  arrives: string
}

/** What the ordering service answers. It sends more than this; nobody may refuse that. */
export interface Booked {
  order_no: number
  status: "accepted" | "queued"
  total: number
  cur: string
  eta: string
}

export function toBooking(order: Order) {
  let total = 0
  for (const line of order.lines) total += line.quantity * line.priceCents
  return {
    customer_no: order.customer.id,
    mail: order.customer.email.toLowerCase(),
    items: order.lines.map((line) => ({ code: line.sku, qty: line.quantity, cents: line.priceCents })),
    currency: order.currency,
    address: `${order.shipTo.street}, ${order.shipTo.city}`,
    country: order.shipTo.country,
    express: order.express,
    remark: order.note ?? "",
    total,
  }
}

export function toReceipt(booked: Booked): Receipt {
  return { id: String(booked.order_no), state: booked.status, totalCents: booked.total, currency: booked.cur, arrives: booked.eta }
}

export const BOOKINGS_PATH = "/v2/bookings"
export const ROLE = "clerk"
export const limits = { timeoutMs: 800, retries: 2, breaker: { failures: 5, of: 10, restMs: 30_000 } }
/** Upper bounds of the latency histogram, in seconds. */
export const buckets: number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

// ---- API keys: "<public part>.<secret>" in the header x-api-key; 100 of them, as a small company has -----
export interface KeyRecord {
  id: string
  hash: Buffer
  roles: readonly string[]
}

// hexadecimal digits: Node makes them several times faster than a buffer
const sha256 = (secret: string) => Buffer.from(hash("sha256", secret, "hex"), "latin1")
const keys = new Map<string, KeyRecord>()
for (let n = 0; n < 100; n++) keys.set(`pk${n}`, { id: `pk${n}`, hash: sha256(secretOf(n)), roles: n === 1 ? [] : [ROLE] })

function secretOf(n: number): string {
  return hash("sha256", `benchmark ${n}`, "base64url")
}

export const KEY_HEADER = "x-api-key"
export const goodKey = `pk0.${secretOf(0)}`
export const rolelessKey = `pk1.${secretOf(1)}`
const absent = Buffer.alloc(64)

/** The holder of a presented key, or null. An unknown public part costs the same as a wrong secret. */
export function holderOf(presented: string | undefined): KeyRecord | null {
  if (!presented) return null
  const dot = presented.indexOf(".")
  if (dot < 1) return null
  const record = keys.get(presented.slice(0, dot))
  const isRight = timingSafeEqual(sha256(presented.slice(dot + 1)), record?.hash ?? absent)
  return isRight && record ? record : null
}

// ---- failures of the upstream --------------------------------------------------------------------------
/** The ordering service refused, failed or was not reached; `isRepeatable` because it honours Idempotency-Key. */
export class UpstreamFailed extends Error {
  isRepeatable: boolean
  constructor(message: string, isRepeatable: boolean) {
    super(message)
    this.isRepeatable = isRepeatable
  }
}

/** Which statuses are worth another attempt. */
export function isRepeatableStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429
}
