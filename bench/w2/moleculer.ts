/** Moleculer with its own gateway, validator, retry, breaker, timeout and metrics; undici and pino beside it. */
import { randomUUID } from "node:crypto"
import { Errors, ServiceBroker } from "moleculer"
import ApiGateway from "moleculer-web"
import { Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"
import { BOOKINGS_PATH, type Booked, buckets, holderOf, isRepeatableStatus, KEY_HEADER, limits, ROLE, toBooking, toReceipt } from "./job.ts"
import { log } from "./observe.ts"

const { MoleculerError, MoleculerRetryableError } = Errors
const pool = new Pool(upstream, { connections: CONNECTIONS, headersTimeout: limits.timeoutMs, bodyTimeout: limits.timeoutMs })
const broker = new ServiceBroker({
  logger: false,
  metrics: { enabled: true, reporter: [], defaultBuckets: buckets.map((seconds) => seconds * 1_000) },
  retryPolicy: {
    enabled: true,
    retries: limits.retries,
    delay: 50,
    maxDelay: 1_000,
    factor: 2,
    check: (error: any) => error?.retryable === true,
  },
  circuitBreaker: {
    enabled: true,
    threshold: limits.breaker.failures / limits.breaker.of,
    minRequestCount: limits.breaker.of,
    windowTime: 60,
    halfOpenTime: limits.breaker.restMs,
    check: (error: any) => error?.code >= 500,
  },
})

const validator = broker.validator as any
const isBooked = validator.compile({
  order_no: "number|integer",
  status: { type: "enum", values: ["accepted", "queued"] },
  total: "number|integer",
  cur: "string",
  eta: "string",
})
const isReceipt = validator.compile({
  id: "string",
  state: { type: "enum", values: ["accepted", "queued"] },
  totalCents: "number|integer",
  currency: "string",
  arrives: "string",
})

broker.createService({
  name: "bookings",
  actions: {
    async create(ctx: any): Promise<Booked> {
      const headers = { "content-type": "application/json", "idempotency-key": ctx.params.key }
      const response = await pool.request({ path: BOOKINGS_PATH, method: "POST", headers, body: ctx.params.body }).catch(unreached)
      const text = await response.body.text().catch(unreached)
      if (isRepeatableStatus(response.statusCode)) throw new MoleculerRetryableError(`status ${response.statusCode}`, 502)
      if (response.statusCode >= 300) throw new MoleculerError(`status ${response.statusCode}`, 502)
      const booked = JSON.parse(text)
      if (isBooked(booked) !== true) throw new MoleculerError("invalid answer", 502)
      return booked
    },
  },
})

function unreached(error: Error): never {
  throw new MoleculerRetryableError(error.message, 502)
}

/** Moleculer says 404 when the circuit is open, as if the service did not exist. */
function openCircuitIs503(error: any): never {
  throw error.code === 404 ? new MoleculerError("ordering service unavailable", 503) : error
}

broker.createService({
  name: "orders",
  actions: {
    create: {
      // the call to bookings has them; here they would multiply attempts and open a second circuit
      retryPolicy: { enabled: false },
      circuitBreaker: { enabled: false },
      params: {
        $$strict: true,
        customer: { type: "object", strict: true, props: { id: "string|min:1|max:40", email: "email" } },
        lines: {
          type: "array",
          min: 1,
          max: 50,
          items: {
            type: "object",
            strict: true,
            props: { sku: "string|min:1|max:40", quantity: "number|integer|min:1|max:999", priceCents: "number|integer|min:0" },
          },
        },
        currency: { type: "enum", values: ["EUR", "USD", "GBP"] },
        shipTo: {
          type: "object",
          strict: true,
          props: { street: "string|min:1", city: "string|min:1", country: { type: "string", pattern: /^[A-Z]{2}$/ } },
        },
        express: "boolean",
        note: "string|max:500|optional",
      },
      async handler(ctx: any) {
        const params = { body: JSON.stringify(toBooking(ctx.params)), key: randomUUID() }
        const receipt = toReceipt(await ctx.call("bookings.create", params).catch(openCircuitIs503))
        if (isReceipt(receipt) !== true) throw new MoleculerError("invalid receipt", 502)
        return receipt
      },
    },
  },
})

const gateway = broker.createService({
  name: "api",
  mixins: [ApiGateway as any],
  settings: {
    port: 0,
    ip: "127.0.0.1",
    logRequest: null,
    logResponse: null,
    log4XXResponses: false,
    use: [logWhenAnswered, checkKey],
    routes: [
      { path: "/", bodyParsers: { json: { limit: "256kb" } }, aliases: { "POST orders": "orders.create" }, mappingPolicy: "restrict" },
    ],
    onError(_req: any, res: any, error: any) {
      const status = error.code >= 400 && error.code < 600 ? error.code : 502
      res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ error: error.message, issues: error.data }))
    },
  },
})
await broker.start()
readyOn((gateway as any).server)()

function logWhenAnswered(req: any, res: any, next: () => void): void {
  const began = performance.now()
  res.on("finish", () =>
    log.info({ method: "POST", route: "/orders", status: res.statusCode, ms: performance.now() - began, key: req.holder?.id }, "request"),
  )
  next()
}

// before the body is read, as for everybody
function checkKey(req: any, _res: any, next: (error?: Error) => void): void {
  req.holder = holderOf(req.headers[KEY_HEADER])
  if (!req.holder) next(new MoleculerError("unauthenticated", 401))
  else if (!req.holder.roles.includes(ROLE)) next(new MoleculerError("forbidden", 403))
  else next()
}
