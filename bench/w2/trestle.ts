/** The whole job as one declaration. Trestle's own log and metrics are on; the log goes to stdout, which the harness sends to LOG_FILE. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { systemRandom } from "../../src/base/random.ts"
import { ready, upstream } from "../harness/subject.ts"
import { apiKeys, op, openKeyStore, rest, role, trestle } from "../trestle.ts"
import { BOOKINGS_PATH, KEY_HEADER, limits, ROLE, toBooking, toReceipt } from "./job.ts"
import { BookedShape, OrderShape, ReceiptShape } from "./zod-schemas.ts"

const ordering = rest({
  url: upstream,
  policy: {
    timeout: `${limits.timeoutMs}ms`,
    retry: limits.retries,
    breaker: { failures: limits.breaker.failures, of: limits.breaker.of, rest: `${limits.breaker.restMs}ms` },
  },
})

const placeOrder = op({
  http: "POST /orders",
  input: OrderShape,
  output: ReceiptShape,
  allow: role(ROLE),
  deadline: "5s",
  status: 200,
}).via(
  ordering.call(`POST ${BOOKINGS_PATH}`, {
    body: (order) => toBooking(order),
    response: BookedShape,
    map: (booked) => toReceipt(booked),
    repeat: { key: "Idempotency-Key" },
  }),
)

// the keys live in a folder of this run; 100 of them, as job.ts has for the peers
const folder = mkdtempSync(join(tmpdir(), "trestle-bench-"))
const store = openKeyStore({ folder, now: Date.now, random: systemRandom })
const newKey = (name: string, roles: string[]) => store.create({ name, roles, permissions: [], expiresInMs: null })
const clerk = await newKey("clerk", [ROLE])
const nobody = await newKey("nobody", [])
for (let n = 2; n < 100; n++) await newKey(`clerk${n}`, [ROLE])
const keys = apiKeys({ header: KEY_HEADER })

const app = trestle({
  name: "bench-w2",
  ops: { orders: { place: placeOrder } },
  authenticate: [{ ...keys, open: (host) => keys.open({ ...host, folder }) }],
})
const running = await app.start()
const { url } = await running.listen({ port: 0 })
ready({ port: Number(new URL(url).port), headers: { [KEY_HEADER]: clerk.key }, rolelessHeaders: { [KEY_HEADER]: nobody.key } })
