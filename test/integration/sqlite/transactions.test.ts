import { setImmediate as nextRound } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { acting, all, describeTransactions, insert } from "../sql/transactions.ts"
import { newFile, otherProcess, REAL_TIME, worldOf } from "./kit.ts"

describeTransactions({ worldOf, unique: "SQLite 2067" })

describe("beside a transaction of SQLite", () => {
  test("reads of others, in memory: see only what was committed", async () => {
    let seen: Promise<string[]> | undefined
    const world = await worldOf(
      acting(async (tx, text) => {
        await tx.run(insert(text))
        seen = world.ask.list()
        await tx.many(all)
        throw new Error("rolls back")
      }),
      { file: ":memory:" },
    )
    await world.ask.act.safe({ text: "inside" })
    expect(await seen).toEqual([])
  })
  test("many at once: in the order in which they came", async () => {
    const { ask } = await worldOf(
      acting(async (tx, text) => {
        await tx.many(all)
        await tx.run(insert(text))
        return null
      }),
    )
    const texts = Array.from({ length: 30 }, (_, i) => String(i))
    await Promise.all(texts.map((text, i) => (i % 3 === 0 ? ask.add({ text }) : ask.act({ text }))))
    expect(await ask.list()).toEqual(texts)
  })
  test("a caller who gives up while waiting for the turn: nothing of it happens", async () => {
    const file = newFile()
    const { ask } = await worldOf(
      acting(async () => null),
      { file },
      REAL_TIME,
    )
    const other = otherProcess(file)
    await other.exec("begin immediate")
    const first = ask.add({ text: "first" })
    const controller = new AbortController()
    const second = ask.add.safe({ text: "second" }, { signal: controller.signal })
    controller.abort()
    expect(await second).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    await other.exec("commit")
    await first
    expect(await ask.list()).toEqual(["first"])
  })

  test("a caller who gives up while another process holds the lock: nothing of it happens", async () => {
    const file = newFile()
    const { ask } = await worldOf(
      acting(async (tx, text) => tx.run(insert(text))),
      { file },
      REAL_TIME,
    )
    const other = otherProcess(file)
    await other.exec("begin immediate")
    const controller = new AbortController()
    const given = ask.act.safe({ text: "given up" }, { signal: controller.signal })
    await nextRound()
    controller.abort()
    expect(await given).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    await other.exec("commit")
    await ask.add({ text: "next" })
    expect(await ask.list()).toEqual(["next"])
  })
})
