// The COMMIT of a flow's transaction is lost, and it counts; when the flow goes on, its database is away.
import { expect, test } from "vitest"
import { z } from "zod"
import { failure } from "../../src/contract/failure.ts"
import type { SqlSession } from "../../src/contract/sql-session.ts"
import { code, flow, nothing, op, sql, trestle } from "../../src/index.ts"
import { db, Place } from "./kit.ts"

const Id = z.object({ id: z.string() })
const did: string[] = []
const acting = (what: string) => op({ effect: "write", repeat: "natural", input: Id, output: nothing }).via(code(() => void did.push(what)))
const charge = acting("charged")
const refund = acting("refunded")
const buy = op({ effect: "write", input: Id, output: nothing, deadline: "5s" }).via(
  flow(
    async (input, s) => {
      await s.run(charge, input, { undo: () => s.run(refund, input) })
      await s.transaction(db, (tx) => tx.run(sql`insert into booked (id) values (${input.id})`))
      did.push("went on")
    },
    { databases: [db] },
  ),
)

test("a transaction that may have counted is refused in the next runs → asked until the database says so, and nothing is undone", async () => {
  did.length = 0
  const place = await Place.open("create table booked (id text)")
  let asked = 0
  const transaction: SqlSession["transaction"] = place.session.transaction.bind(place.session)
  place.session.transaction = async (...given) => {
    if (++asked > 1 && asked < 9) throw failure("not-connected", "write", { note: "away for a moment" })
    const answer = await transaction(...given)
    if (asked === 1) throw failure("connection-lost", "write", { note: "the answer to COMMIT is lost" })
    return answer
  }
  const node = await place.start(trestle({ name: "away", ops: { charge, refund, buy }, store: db }))
  void node.running.internal().buy.safe({ id: "1" })
  await node.durable.work()
  await place.recover(node, 20)
  const booked = await (await place.session.openStore([])).read({ text: "select id from booked", values: [] })
  expect([did, booked, (await node.jobs()).map(({ state }) => state)]).toEqual([["charged", "went on"], [{ id: "1" }], ["done"]])
})
