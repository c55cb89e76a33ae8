/** oRPC: a router's server-side client, made once. */
import { createRouterClient, os } from "@orpc/server"
import { measure } from "./measure.ts"
import { caller, Input, Output, price } from "./task.ts"

const base = os.$context<{ user: typeof caller }>()
const router = {
  orders: {
    price: base
      .input(Input)
      .output(Output)
      .handler(({ input }) => price(input)),
  },
}
const client = createRouterClient(router, { context: { user: caller } })
await measure((order) => client.orders.price(order))
