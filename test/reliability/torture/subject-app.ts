import { z } from "zod"
import {
  anyone,
  code,
  defer,
  env,
  fallback,
  flow,
  nothing,
  op,
  postgres,
  rest,
  secret,
  sql,
  sqlite,
  topic,
  trestle,
} from "../../../src/index.ts"

const Order = z.object({ id: z.string(), customer: z.string(), n: z.number().int() })
const Stored = Order.extend({ state: z.enum(["done", "pending"]) })
const key = { key: "Idempotency-Key" } as const
/** It is killed so often that ten runs would not be enough for every job. */
const delivery = { times: 10_000, backoff: "20ms" } as const
const migrations = [
  {
    name: "0001-orders",
    sql: `create table orders (id text not null, customer text not null, n integer not null);
      create table bills (order_id text not null);
      create table ledger (order_id text not null)`,
  },
]

/** The application that is killed. Nothing in its tables is unique: what is done twice is there twice. */
export function subjectApp(kind: "sqlite" | "postgres") {
  const receiver = rest({ url: env("RECEIVER_URL"), refuses: [503], policy: { timeout: "1s", retry: 1, breaker: false } })
  const [db, store] =
    kind === "sqlite"
      ? [
          sqlite({ file: env("SUBJECT_DB"), outbox: true, migrations, migrate: "on start" }),
          sqlite({ file: env("SUBJECT_STORE"), name: "store" }),
        ]
      : [
          postgres({ url: secret("SUBJECT_DB"), name: "db", outbox: true, migrations, migrate: "on start" }),
          postgres({ url: secret("SUBJECT_STORE"), name: "store" }),
        ]
  const placed = topic("order.placed", Order, { key: (order) => order.customer })
  const settled = topic("checkout.settled", Order)
  const allow = anyone("a test on this machine")
  const anyObject = "orders belong to nobody here"
  const effect = (via: string) =>
    receiver.call<z.infer<typeof Order>, void>("POST /effects", { body: (o) => ({ ...o, via }), repeat: key, map: () => undefined })

  const place = op({ http: "POST /orders", input: Order, output: Order, allow, anyObject, repeat: "key" }).via(
    db.transaction(async (tx, order) => {
      await tx.run(sql`insert into orders (id, customer, n) values (${order.id}, ${order.customer}, ${order.n})`)
      await tx.emit(placed, order)
      return order
    }),
  )
  /** An effect at another system, in the order of the customer. */
  const ship = op({ on: placed, effect: "write", repeat: "key", delivery, input: Order, output: nothing }).via(effect("ship"))
  /** An effect in the database of the application itself. */
  const bill = op({ on: placed, effect: "write", repeat: "key", delivery, input: Order, output: nothing }).via(
    db.run((order) => sql`insert into bills (order_id) values (${order.id})`),
  )
  const later = op({ http: "POST /later", input: Order, output: Stored, allow, anyObject, repeat: "key" }).via(
    fallback(
      receiver.call("POST /effects", {
        body: (o) => ({ ...o, via: "later" }),
        repeat: key,
        map: (_, o) => ({ ...o, state: "done" as const }),
      }),
      defer((o) => ({ ...o, state: "pending" as const }), { key: (o) => o.customer, expires: "1h" }),
    ),
  )
  const reserve = op({ effect: "write", input: Order, output: nothing }).via(effect("reserve"))
  const release = op({ effect: "write", input: Order, output: nothing }).via(effect("release"))
  const charge = op({ effect: "write", input: Order, output: nothing, errors: { DECLINED: 402 } }).via(
    receiver.call("POST /effects", {
      body: (o) => ({ ...o, via: "charge" }),
      repeat: key,
      map: () => undefined,
      errors: { 402: "DECLINED" },
    }),
  )
  const book = op({ effect: "write", input: Order, output: nothing }).via(
    db.run((order) => sql`insert into ledger (order_id) values (${order.id})`),
  )
  const checkout = op({
    http: "POST /checkout",
    input: Order,
    output: Order,
    allow,
    anyObject,
    repeat: "key",
    errors: { DECLINED: 402 },
    deadline: "2s",
  }).via(
    flow(
      async (order, s) => {
        await s.run(reserve, order, { undo: () => s.run(release, order) })
        await s.run(charge, order)
        await s.run(book, order)
        await s.emit(settled, order)
        return order
      },
      { grants: [reserve, release, charge, book] },
    ),
  )
  const thank = op({ on: settled, effect: "write", repeat: "key", delivery, input: Order, output: nothing }).via(effect("thank"))
  const idle = op({ http: "GET /idle", input: z.object({}), output: z.object({ pid: z.number() }), allow }).via(
    code(() => ({ pid: process.pid })),
  )
  return trestle({
    name: "subject",
    ops: { place, later, checkout, idle, inside: { ship, bill, reserve, release, charge, book, thank } },
    defaults: { deadline: "5s" },
    store,
  })
}
