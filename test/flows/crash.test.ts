// A flow whose process dies at each point at which it can die, one after the other.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { code, flow, nothing, op, sql, topic, trestle } from "../../src/index.ts"
import { db, Life, type Node, Place } from "./kit.ts"

const Id = z.object({ id: z.string() })
const Made = z.object({ id: z.string(), number: z.number() })
const shipped = topic("shipped", Id)
const ROWS = "create table orders (id text not null)"

/** Outside: keeps what it has, and gives the same answer again to whoever asks again. */
class Outside {
  readonly numbers = new Map<string, number>()
  readonly heard: string[] = []
  #next = 100
  life = new Life()

  put(id: string): Promise<{ id: string; number: number }> {
    return this.life.round(`effect +${id}`, () => {
      if (!this.numbers.has(id)) this.numbers.set(id, this.#next++)
      return { id, number: this.numbers.get(id)! }
    })
  }

  remove(id: string): Promise<void> {
    return this.life.round(`effect -${id}`, () => void this.numbers.delete(id))
  }
}

function appOf(outside: Outside, mustFail: boolean) {
  const put = op({ effect: "write", repeat: "natural", input: Id, output: Made, errors: { FULL: 409 } }).via(
    code(({ id }) => outside.put(id)),
  )
  const remove = op({ effect: "write", repeat: "natural", input: Id, output: nothing }).via(code(({ id }) => outside.remove(id)))
  const look = op({ effect: "read", input: nothing, output: z.number() }).via(code(() => outside.numbers.size))
  const last = op({ effect: "write", repeat: "natural", input: nothing, output: nothing, errors: { FULL: 409 } }).via(
    code((_, ctx) => (mustFail ? ctx.fail("FULL") : undefined)),
  )
  const hear = op({ on: shipped, effect: "write", repeat: "natural", input: Id, output: nothing }).via(
    code(({ id }) => void outside.heard.push(id)),
  )
  const order = op({ effect: "write", input: nothing, output: z.array(z.number()), errors: { FULL: 409 }, deadline: "10s" }).via(
    flow(
      async (_, s) => {
        const before = await s.run(look, undefined)
        const undo = ({ id }: { id: string }): Promise<unknown> => s.run(remove, { id })
        const a = await s.run(put, { id: `a${before}` }, { undo })
        const [b, c] = await Promise.all([s.run(put, { id: "b" }, { name: "b", undo }), s.run(put, { id: "c" }, { name: "c", undo })])
        const at = await s.now()
        const rows = await s.transaction(db, (tx) => tx.run(sql`insert into orders (id) values (${String(at)})`), {
          undo: () => s.transaction(db, (tx) => tx.run(sql`delete from orders`)),
        })
        await s.run(last, undefined)
        await s.emit(shipped, { id: `${await s.random()}` })
        return [a.number, b.number, c.number, rows]
      },
      { databases: [db] },
    ),
  )
  return trestle({ name: "crash", ops: { put, remove, look, last, hear, order }, store: db })
}

interface Findings {
  readonly at: string
  readonly numbers: readonly number[]
  readonly rows: number
  readonly heard: number
  readonly ends: readonly string[]
}

/** One life that ends at that point, and the one after it. `null`: the first did not die any more. */
async function runWith(deathAt: number, mustFail: boolean): Promise<Findings | null> {
  const place = await Place.open(ROWS)
  const outside = new Outside()
  const app = appOf(outside, mustFail)
  const first = await place.start(app)
  const life = new Life(deathAt)
  // The start itself is not what is looked at.
  Object.assign(first.life, { pass: life.pass.bind(life), round: life.round.bind(life) })
  outside.life = life
  const call = first.running.internal().order.safe(undefined)
  await Promise.race([life.dead.promise, call.then(() => first.durable.work())])
  if (!life.isDead) return null
  outside.life = new Life()
  const node: Node<unknown> = await place.start(app)
  await place.recover(node)
  const [row] = (await (await place.session.openStore([])).read({ text: "select count(*) as n from orders limit ?", values: [1] })) as [
    { n: number },
  ]
  const ends = (await node.jobs()).filter(({ kind }) => kind === "flow").map(({ state }) => state)
  await place.session.close()
  return { at: life.points.at(-1)!, numbers: [...outside.numbers.values()], rows: row.n, heard: new Set(outside.heard).size, ends }
}

describe("a flow whose process dies", () => {
  test.each([
    ["goes well", false],
    ["fails", true],
  ])("at any point of a run that %s → goes on in the next: wholly done, or wholly undone", async (_, mustFail) => {
    const seen: string[] = []
    for (let deathAt = 1; ; deathAt++) {
      const found = await runWith(deathAt, mustFail)
      if (found === null) break
      seen.push(found.at)
      const { at, numbers, rows, heard, ends } = found
      const isBegun = ends.length > 0
      const isDone = isBegun && !mustFail
      expect([at, numbers, rows, heard, ends]).toEqual([
        at,
        isDone ? [100, 101, 102] : [],
        isDone ? 1 : 0,
        isDone ? 1 : 0,
        isBegun ? [mustFail ? "failed" : "done"] : [],
      ])
    }
    expect(seen.length).toBeGreaterThan(30)
  })
})
