/** tRPC: a server-side caller, made once. */
import { initTRPC } from "@trpc/server"
import { measure } from "./measure.ts"
import { caller, Input, Output, price } from "./task.ts"

const t = initTRPC.context<{ user: typeof caller }>().create()
const router = t.router({
  orders: t.router({
    price: t.procedure
      .input(Input)
      .output(Output)
      .mutation(({ input }) => price(input)),
  }),
})
const client = t.createCallerFactory(router)({ user: caller })
await measure((order) => client.orders.price(order))
