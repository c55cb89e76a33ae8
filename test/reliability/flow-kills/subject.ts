// The process that is killed, or that goes on with what others have left; run by `runs/flow-kills.ts`.
import { z } from "zod"
import type { DurableParts } from "../../../src/assembly/durable.ts"
import { startApp } from "../../../src/assembly/start.ts"
import { hasStore } from "../../../src/contract/store.ts"
import { env, flow, nothing, op, rest, sql, sqlite, trestle } from "../../../src/index.ts"
import { MortalDatabase, Points } from "./points.ts"

const Order = z.object({ id: z.string(), isDeclined: z.boolean() })
const key = { key: "Idempotency-Key" } as const
const receiver = rest({ url: env("RECEIVER"), policy: { timeout: "5s", retry: 0, breaker: false } })
const table = { name: "0001-bookings", sql: "create table bookings (id text not null)" }
const db = sqlite({ file: env("DATABASE"), name: "db", outbox: true, migrations: [table], migrate: "on start" })
const points = new Points(Number(process.env.DIE_AT ?? Number.POSITIVE_INFINITY))

const effect = (what: string) =>
  receiver.call<z.infer<typeof Order>, void, "DECLINED">("POST /effects", {
    body: ({ id, isDeclined }) => ({ what, id, isDeclined }),
    repeat: key,
    map: () => points.pass(`after ${what}`),
    errors: { 402: "DECLINED" },
  })
const step = (what: string) => op({ effect: "write", input: Order, output: nothing, errors: { DECLINED: 402 } }).via(effect(what))
const [reserve, release, charge, refund, ship] = ["reserve", "release", "charge", "refund", "ship"].map(step) as [
  ReturnType<typeof step>,
  ReturnType<typeof step>,
  ReturnType<typeof step>,
  ReturnType<typeof step>,
  ReturnType<typeof step>,
]
const order = op({ effect: "write", input: Order, output: nothing, errors: { DECLINED: 402 }, deadline: "30s" }).via(
  flow(
    async (input, s) => {
      await s.run(reserve, input, { undo: () => s.run(release, input) })
      await s.run(charge, input, { undo: () => s.run(refund, input) })
      await s.transaction(db, (tx) => tx.run(sql`insert into bookings (id) values (${input.id})`), {
        undo: () => s.transaction(db, (tx) => tx.run(sql`delete from bookings where id = ${input.id}`)),
      })
      await s.run(ship, input)
    },
    { databases: [db] },
  ),
)
const app = trestle({ name: "flow-kills", ops: { reserve, release, charge, refund, ship, order }, store: db })

let durable!: DurableParts
const running = await startApp(app, {
  openService: async (service, host) => {
    const connection = await service.open(host)
    return hasStore(connection) ? new MortalDatabase(connection as never, points) : connection
  },
  durable: {
    isByHand: true,
    published: () => {},
    opened: (parts) => {
      durable = parts
    },
  },
})
points.begin()
const { ORDER } = process.env
if (ORDER === undefined) await durable.work()
else await running.internal().order.safe(JSON.parse(ORDER))
const states: string[] = []
for await (const { state } of durable.desk.all()) states.push(state)
console.log(JSON.stringify({ points: points.count, states }))
await running.close()
