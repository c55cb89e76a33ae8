/** oRPC with a middleware that checks the role, as Trestle does. */
import { createRouterClient, ORPCError, os } from "@orpc/server"
import { measure } from "./measure.ts"
import { caller, Input, Output, price } from "./task.ts"

const base = os.$context<{ user: typeof caller }>().use(({ context, next }) => {
  if (!context.user.roles.includes("clerk")) throw new ORPCError("FORBIDDEN")
  return next()
})
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
