/** Trestle in process, by a principal whose role is checked; observation on, the log to stdout, which the harness sends to LOG_FILE. */
import { code, op, role, trestle } from "../trestle.ts"
import { measure } from "./measure.ts"
import { caller, Input, Output, price } from "./task.ts"

const priceOrder = op({ http: "POST /orders/price", input: Input, output: Output, allow: role("clerk") }).via(code((order) => price(order)))
const app = trestle({ name: "bench-call", ops: { orders: { price: priceOrder } } })
const running = await app.start()
const client = running.as(caller)
await measure((order) => client.orders.price(order))
