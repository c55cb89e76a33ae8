import { z } from "zod"
import { definitionOf } from "../../../src/assembly/definition.ts"
import { code, defer, env, fallback, flow, nothing, op, type Policy, rest, sql, sqlite, topic, trestle } from "../../../src/index.ts"
import { checkDeclarations } from "../../../src/runtime/check.ts"

const Order = z.object({ id: z.string(), customer: z.string(), n: z.number().int() })
const Stored = Order.extend({ state: z.enum(["done", "pending"]) })
const key = { key: "X-Key" } as const
/** Never given up on: a run may be lost to every crash. */
const delivery = { times: 10_000, backoff: "50ms" } as const

export type Order = z.infer<typeof Order>

/** Nothing in these tables is unique: what is done twice is there twice. */
export const TABLES_SQL = `create table orders (id text not null, customer text not null);
  create table bills (order_id text not null);
  create table ledger (order_id text not null)`

/** Whose seat is beside that one. */
export function besideOf(id: string): string {
  return `${id}-beside`
}

/** How one world is made. */
export interface Making {
  readonly policy: Policy
  /** Trestle's own tables are in the database of the orders. */
  readonly isOneDatabase: boolean
}

/** The application that is simulated: everything that outlives a call. */
export function declareDurable({ policy, isOneDatabase }: Making) {
  const receiver = rest({ url: env("RECEIVER_URL"), policy })
  const db = sqlite({ file: "db", name: "db", outbox: true })
  const store = isOneDatabase ? db : sqlite({ file: "store", name: "store" })
  const placed = topic("order.placed", Order, { key: (order) => order.customer })
  const settled = topic("checkout.settled", Order)
  const effect = (via: string) =>
    receiver.call<Order, void>("POST /effects", { body: (o) => ({ ...o, via }), repeat: key, map: () => undefined })
  const plainEffect = (via: string) => receiver.call<Order, void>("POST /effects", { body: (o) => ({ ...o, via }), map: () => undefined })
  const write = { effect: "write", input: Order, output: nothing } as const
  const keyed = { effect: "write", repeat: "key", input: Order } as const

  const place = op({ ...keyed, output: Order }).via(
    db.transaction(async (tx, order) => {
      await tx.run(sql`insert into orders (id, customer) values (${order.id}, ${order.customer})`)
      await tx.emit(placed, order)
      return order
    }),
  )
  const ship = op({ ...write, on: placed, repeat: "key", delivery, deadline: "50s" }).via(effect("ship"))
  const bill = op({ ...write, on: placed, repeat: "key", delivery }).via(
    db.run((order) => sql`insert into bills (order_id) values (${order.id})`),
  )

  const laterState = (via: string, state: "done" | "pending") => (o: Order) => ({ ...o, state, via })
  const later = op({ ...keyed, output: Stored }).via(
    fallback(
      receiver.call("POST /effects", { body: (o) => ({ ...o, via: "later" }), repeat: key, map: (_, o) => laterState("", "done")(o) }),
      defer((o) => laterState("", "pending")(o), { key: (o) => o.customer, expires: "12h" }),
    ),
  )
  /** Its service knows no keys, so a write that may have happened waits for a person. */
  const note = op({ ...keyed, output: Stored }).via(
    fallback(
      receiver.call("POST /effects", { body: (o) => ({ ...o, via: "note" }), map: (_, o) => laterState("", "done")(o) }),
      defer((o) => laterState("", "pending")(o), { expires: "12h" }),
    ),
  )
  /** Only the key of its caller keeps it from being done twice. */
  const mail = op({ ...keyed, output: nothing }).via(plainEffect("mail"))

  const reserve = op(write).via(effect("reserve"))
  const release = op(write).via(effect("release"))
  const pack = op(write).via(effect("pack"))
  const unpack = op(write).via(effect("unpack"))
  const charge = op({ ...write, errors: { DECLINED: 402 } }).via(
    receiver.call("POST /effects", {
      body: (o) => ({ ...o, via: "charge" }),
      repeat: key,
      map: () => undefined,
      errors: { 402: "DECLINED" },
    }),
  )
  const book = op(write).via(db.run((order) => sql`insert into ledger (order_id) values (${order.id})`))
  const checkout = op({ ...keyed, output: Order, errors: { DECLINED: 402 }, deadline: "4s" }).via(
    flow(
      async (order, s) => {
        await s.run(reserve, order, { undo: () => s.run(release, order) })
        await s.run(pack, order, { undo: () => s.run(unpack, order) })
        await s.run(charge, order)
        await s.run(book, order)
        await s.emit(settled, order)
        return order
      },
      { grants: [reserve, release, pack, unpack, charge, book] },
    ),
  )
  const thank = op({ ...write, on: settled, repeat: "key", delivery }).via(effect("thank"))

  const seat = op(write).via(effect("seat"))
  const unseat = op(write).via(effect("unseat"))
  const print = op(write).via(plainEffect("print"))
  /** Three steps at once; of one of them nobody can say whether it has happened. */
  const ticket = op({ ...keyed, output: Order, deadline: "4s" }).via(
    flow(
      async (order, s) => {
        const beside = { ...order, id: besideOf(order.id) }
        await Promise.all([
          s.run(seat, order, { name: "seat", undo: () => s.run(unseat, order) }),
          s.run(seat, beside, { name: "seat beside", undo: () => s.run(unseat, beside) }),
          s.run(print, order, { name: "print" }),
        ])
        return order
      },
      { grants: [seat, unseat, print] },
    ),
  )
  const idle = op({ input: z.object({}), output: nothing, effect: "read" }).via(code(() => undefined))

  const ops = {
    place,
    ship,
    bill,
    later,
    note,
    mail,
    reserve,
    release,
    pack,
    unpack,
    charge,
    book,
    checkout,
    thank,
    seat,
    unseat,
    print,
    ticket,
    idle,
  }
  const app = trestle({ name: "simulated", ops, store, defaults: { deadline: "8s", shed: false } })
  const { ops: declared, defaults = {} } = definitionOf(app)
  const checked = checkDeclarations(declared, defaults, 1_700_000_000_000)
  const errors = checked.findings.filter(({ severity }) => severity === "error")
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"))
  return { app, checked, isOneDatabase, concurrency: policy.concurrency as number }
}

export type DurableWorld = ReturnType<typeof declareDurable>

export const DURABLE_WORLDS: readonly DurableWorld[] = [
  declareDurable({
    policy: { timeout: "2s", retry: { times: 1, backoff: "50ms" }, breaker: false, concurrency: 3, queue: 20 },
    isOneDatabase: false,
  }),
  declareDurable({
    policy: {
      timeout: "45s",
      retry: { times: 2, backoff: "20ms" },
      breaker: { failures: 3, of: 6, rest: "1s" },
      concurrency: 4,
      queue: 20,
    },
    isOneDatabase: true,
  }),
  declareDurable({
    policy: { timeout: "45s", retry: 0, breaker: { failures: 2, of: 4, rest: "500ms" }, concurrency: 2, queue: 50 },
    isOneDatabase: false,
  }),
]
