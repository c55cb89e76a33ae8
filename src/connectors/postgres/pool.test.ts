import { describe, expect, test } from "vitest"
import { FakeClock } from "../../testing/fake-clock.ts"
import type { PostgresDatabase } from "./database.ts"
import { Pool, type Taker } from "./pool.ts"

/** A connection without a server. */
class Fake {
  isUsable = true
  said: string[] = []
  fails = false
  async connect(): Promise<void> {
    this.said.push("connect")
    if (this.fails) throw new TypeError("no server")
  }
  async exec(text: string): Promise<string> {
    this.said.push(text)
    return ""
  }
  stop(): void {
    this.isUsable = false
    this.said.push("stop")
  }
  async close(): Promise<void> {
    this.isUsable = false
    this.said.push("close")
  }
}

function poolOf(connectionsMax: number, prepare?: string) {
  const clock = new FakeClock()
  const opened: Fake[] = []
  let failing = 0
  const open = (): PostgresDatabase => {
    const fake = new Fake()
    fake.fails = failing-- > 0
    opened.push(fake)
    return fake as unknown as PostgresDatabase
  }
  const pool = new Pool({ name: "notes", connectionsMax, clock, open, ...(prepare === undefined ? {} : { prepare }) })
  const taker = (): Taker => ({ call: { effect: "write" }, stoppable: null })
  const take = (who = taker()): Promise<PostgresDatabase> => pool.take(who)
  const fail = (times: number): void => {
    failing = times
  }
  return { pool, clock, opened, take, taker, fail }
}

describe("the pool", () => {
  test("a connection that is given back: is taken again, the last one first", async () => {
    const { pool, opened, take } = poolOf(3)
    const [one, two] = [await take(), await take()]
    pool.give(one)
    pool.give(two)
    expect(await take()).toBe(two)
    expect(await take()).toBe(one)
    expect(opened).toHaveLength(2)
  })

  test("more than there may be: wait, and come in their order", async () => {
    const { pool, opened, take } = poolOf(1)
    const first = await take()
    const order: string[] = []
    const waiting = ["a", "b"].map((name) =>
      take().then((database) => {
        order.push(name)
        pool.give(database)
      }),
    )
    pool.give(first)
    await Promise.all(waiting)
    expect(order).toEqual(["a", "b"])
    expect(opened).toHaveLength(1)
  })

  test("a wait that is stopped: ends as refused, and takes nobody's place", async () => {
    const { pool, take, taker } = poolOf(1)
    const first = await take()
    const impatient = taker()
    const given = take(impatient)
    const next = take()
    impatient.stoppable!.stop()
    await expect(given).rejects.toMatchObject({ outcome: "refused", reason: "timeout-unsent" })
    pool.give(first)
    expect(await next).toBe(first)
  })

  test("a connection that was lost: is not kept, and its place goes to who waits", async () => {
    const { pool, opened, take } = poolOf(1)
    const lost = await take()
    const next = take()
    opened[0]!.isUsable = false
    pool.give(lost)
    expect(await next).not.toBe(lost)
    expect(opened).toHaveLength(2)
  })

  test("a connection that was lost while idle: is not given out", async () => {
    const { pool, opened, take } = poolOf(1)
    pool.give(await take())
    opened[0]!.isUsable = false
    await take()
    expect(opened).toHaveLength(2)
  })

  test("a connection that cannot be opened: its error, and its place goes to who waits", async () => {
    const { take, fail } = poolOf(1)
    fail(1)
    const [failed, next] = [take(), take()]
    await expect(failed).rejects.toThrow("no server")
    expect(await next).toBeDefined()
  })

  test("one that is stopped while it opens: ends the connection that was for it", async () => {
    const { opened, take, taker } = poolOf(1)
    const impatient = taker()
    const taking = take(impatient)
    impatient.stoppable!.stop()
    await taking
    expect(opened[0]!.said).toContain("stop")
  })

  test("nobody needs it for 30 s: it ends, younger ones stay", async () => {
    const { pool, clock, opened, take } = poolOf(2)
    const [one, two] = [await take(), await take()]
    pool.give(one)
    await clock.advance(20_000)
    pool.give(two)
    await clock.advance(10_000)
    expect(opened.map(({ isUsable }) => isUsable)).toEqual([false, true])
    await clock.advance(30_000)
    expect(opened.map(({ isUsable }) => isUsable)).toEqual([false, false])
  })

  test("closed: all end, who waits is refused, and so is who comes", async () => {
    const { pool, opened, take } = poolOf(1)
    await take()
    const waiting = take()
    await pool.close()
    await expect(waiting).rejects.toMatchObject({ outcome: "refused", note: "notes: is closed" })
    await expect(take()).rejects.toMatchObject({ outcome: "refused" })
    expect(opened[0]!.said).toContain("close")
    await pool.close()
  })

  test("what it is told to say first: is said by every new connection", async () => {
    const { opened, take } = poolOf(2, "set it")
    await Promise.all([take(), take()])
    expect(opened.map(({ said }) => said)).toEqual(Array(2).fill(["connect", "set it"]))
  })
})
