/** W2: the full job for POST /orders; see job.ts. Without a rate limit per principal, for everybody: Trestle's is not built yet. */
import { difference, type Reply, type Seen, withUpstream } from "../harness/careful-upstream.ts"
import { jsonResponse } from "../harness/fast-upstream.ts"
import type { Ready } from "../harness/processes.ts"
import type { HttpSubject, HttpWorkload } from "../workloads.ts"
import { BOOKINGS_PATH, goodKey, KEY_HEADER, limits, type Order, rolelessKey, toBooking, toReceipt } from "./job.ts"

const file = (name: string) => new URL(`./${name}.ts`, import.meta.url).pathname

const order: Order = {
  customer: { id: "c-1042", email: "Ada@Example.org" },
  lines: [
    { sku: "A-100", quantity: 2, priceCents: 1250 },
    { sku: "B-7", quantity: 1, priceCents: 990 },
  ],
  currency: "EUR",
  shipTo: { street: "12 Mill Lane", city: "Leeds", country: "GB" },
  express: true,
  note: "ring twice",
}
const booked = {
  order_no: 90017,
  status: "accepted" as const,
  total: 3490,
  cur: "EUR",
  eta: "2026-12-01",
  warehouse: { code: "LS1", shelf: 14 },
}

export const w2: HttpWorkload = {
  title:
    "W2 the full job: POST /orders; key, role, validate, map, POST upstream under timeout + retry + breaker, validate, map, log, metrics (no rate limit for anybody: not built yet)",
  subjects: [
    { name: "node:http + undici, no job (reference)", file: file("raw-proxy"), reference: true, proxyOnly: true },
    { name: "node:http + ajv + undici, by hand (floor)", file: file("hand-written") },
    { name: "Fastify + ajv + undici + cockatiel + pino", file: file("fastify") },
    { name: "Hono + zod + ky + cockatiel + pino", file: file("hono") },
    { name: "Moleculer + moleculer-web + undici + pino", file: file("moleculer") },
    { name: "trestle", file: file("trestle"), nodeArgs: ["--conditions=trestle-source"] },
  ],
  answer: (requestLine) => (requestLine === `POST ${BOOKINGS_PATH} HTTP/1.1` ? bookedResponse : unknownPath),
  requests: ({ headers }) => [requestText(headers ?? { [KEY_HEADER]: goodKey })],
  verify: (subject, start) => withUpstream(replyByCustomer, async (upstream, seen) => verify(subject, await start(upstream), seen)),
}

const bookedResponse = jsonResponse("201 Created", JSON.stringify(booked))
const unknownPath = jsonResponse("404 Not Found", "{}")

function requestText(headers: Record<string, string>): string {
  const body = JSON.stringify(order)
  const lines = Object.entries({ host: "bench", "content-type": "application/json", "content-length": String(body.length), ...headers })
  return `POST /orders HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`
}

/** The customer's number says how the ordering service behaves. */
function replyByCustomer(request: Seen, seen: Seen[]): Reply {
  const customer = request.body?.customer_no
  const isFirst = seen.filter((other) => other.body?.customer_no === customer).length === 1
  if (customer === "c-flaky" && isFirst) return { status: 503, body: { error: "try again" } }
  if (customer === "c-hangs" && isFirst) return { status: 201, body: booked, delayMs: limits.timeoutMs * 3 }
  if (customer === "c-down") return { status: 503, body: { error: "down" } }
  if (customer === "c-broken") return { status: 201, body: { order_no: "not a number" } }
  return { status: 201, body: booked }
}

async function verify(subject: HttpSubject, ready: Ready, seen: Seen[]): Promise<string[]> {
  const wrong: string[] = []
  const good = ready.headers ?? { [KEY_HEADER]: goodKey }
  const post = (body: unknown, headers: Record<string, string>) => postOrder(ready.port, body, headers)
  if (subject.proxyOnly) {
    const answer = await post(toBooking(order), good)
    difference(wrong, "proxied answer", answer.body, booked)
    return wrong
  }
  const answer = await post(order, good)
  difference(wrong, "status of a good order", answer.status === 201 ? 200 : answer.status, 200)
  difference(wrong, "answer to a good order", answer.body, toReceipt(booked))
  difference(wrong, "what reached the upstream", seen[0]?.body, toBooking(order))
  await verifyRefusals(wrong, ready, post, good, seen)
  await verifyResilience(wrong, post, good, seen)
  return wrong
}

type Post = (body: unknown, headers: Record<string, string>) => Promise<{ status: number; body: any }>

async function postOrder(port: number, body: unknown, headers: Record<string, string>): Promise<{ status: number; body: any }> {
  const init = {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  }
  const response = await fetch(`http://127.0.0.1:${port}/orders`, init)
  return { status: response.status, body: await response.json().catch(() => null) }
}

async function verifyRefusals(wrong: string[], ready: Ready, post: Post, good: Record<string, string>, seen: Seen[]): Promise<void> {
  const before = seen.length
  const [name, key] = Object.entries(good)[0]!
  const badKey = { [name]: key.slice(0, -2) + (key.endsWith("AA") ? "BB" : "AA") }
  difference(wrong, "status without a key", (await post(order, {})).status, 401)
  difference(wrong, "status with a wrong secret", (await post(order, badKey)).status, 401)
  difference(wrong, "status with an unknown key", (await post(order, { [name]: "nobody.at-all" })).status, 401)
  difference(wrong, "status without the role", (await post(order, ready.rolelessHeaders ?? { [KEY_HEADER]: rolelessKey })).status, 403)
  const bad: [string, unknown][] = [
    ["not JSON", "{"],
    ["a missing field", { ...order, currency: undefined }],
    ["an unknown field", { ...order, admin: true }],
    ["an unknown field inside", { ...order, customer: { ...order.customer, admin: true } }],
    ["a string for a number", { ...order, lines: [{ sku: "A", quantity: "2", priceCents: 1 }] }],
    ["no lines", { ...order, lines: [] }],
    ["a bad address", { ...order, customer: { id: "c", email: "nobody" } }],
    ["a bad country", { ...order, shipTo: { ...order.shipTo, country: "gb" } }],
  ]
  for (const [what, body] of bad) {
    const { status } = await post(body, good)
    if (status !== 400 && status !== 422) wrong.push(`status for ${what}: expected 400 or 422, got ${status}`)
  }
  difference(wrong, "upstream calls for refused requests", seen.length - before, 0)
}

async function verifyResilience(wrong: string[], post: Post, good: Record<string, string>, seen: Seen[]): Promise<void> {
  const from = (id: string) => ({ ...order, customer: { id, email: "ada@example.org" } })
  const attempts = (id: string) => seen.filter((request) => request.body?.customer_no === id)
  const isServerError = (status: number) => status >= 500
  difference(wrong, "status after one 503", (await post(from("c-flaky"), good)).status < 300, true)
  difference(wrong, "attempts after one 503", attempts("c-flaky").length, 2)
  const keys = new Set(attempts("c-flaky").map((request) => request.headers["idempotency-key"]))
  difference(wrong, "idempotency keys over two attempts", [...keys].filter(Boolean).length, 1)
  difference(wrong, "status after one time-out", (await post(from("c-hangs"), good)).status < 300, true)
  difference(wrong, "a broken answer is a server error", isServerError((await post(from("c-broken"), good)).status), true)
  for (let n = 0; n < 10; n++)
    difference(wrong, "an outage is a server error", isServerError((await post(from("c-down"), good)).status), true)
  // 10 calls of up to 3 attempts; a breaker that counts calls instead of attempts lets 6 or 7 calls pass
  if (attempts("c-down").length > 21) wrong.push(`the breaker did not open: ${attempts("c-down").length} attempts in an outage`)
}
