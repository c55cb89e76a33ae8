/** The whole job as one declaration. Trestle's own log and metrics are on; the log goes to stdout, which the harness sends to LOG_FILE. */
import { ready, upstream } from "../harness/subject.ts"
import { apiKeys, op, rest, role, trestle } from "../trestle.ts"
import { BOOKINGS_PATH, goodKey, KEY_HEADER, limits, ROLE, rolelessKey, toBooking, toReceipt } from "./job.ts"
import { BookedShape, OrderShape, ReceiptShape } from "./zod-schemas.ts"

const ordering = rest({
  url: upstream,
  policy: {
    timeout: `${limits.timeoutMs}ms`,
    retry: limits.retries,
    breaker: { failures: limits.breaker.failures, of: limits.breaker.of, rest: `${limits.breaker.restMs}ms` },
  },
})

const placeOrder = op({ http: "POST /orders", input: OrderShape, output: ReceiptShape, allow: role(ROLE), deadline: "5s", status: 200 }).via(
  ordering.call(`POST ${BOOKINGS_PATH}`, {
    body: (order) => toBooking(order),
    response: BookedShape,
    map: (booked) => toReceipt(booked),
    repeat: { key: "Idempotency-Key" },
  }),
)

const app = trestle({ name: "bench-w2", ops: { orders: { place: placeOrder } }, authenticate: [apiKeys({ header: KEY_HEADER })] })
const running = await app.start()
const { url } = await running.listen({ port: 0 })
// TODO when apiKeys is built: make two keys its own way (100 in the store, as job.ts has) and present them here
ready({ port: Number(new URL(url).port), headers: { [KEY_HEADER]: goodKey }, rolelessHeaders: { [KEY_HEADER]: rolelessKey } })
