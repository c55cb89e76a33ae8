import { setImmediate as nextRound } from "node:timers/promises"
import { expect, test } from "vitest"
import { systemClock } from "../../base/clock.ts"
import type { StoreResult } from "../../contract/store.ts"
import type { Asked } from "./question.ts"
import { Groups } from "./store-groups.ts"

const asked = (text: string): Asked => ({ text, values: [] })
const answered = ({ text }: Asked): StoreResult => ({ rows: [{ text }], changes: 1 })
const undone = new Error("undone")

/** What is written "bad" is refused; each transaction waits until it is let go. */
function groups() {
  const sent: string[] = []
  const letGo: (() => void)[] = []
  let now = 0
  const run = async (statements: readonly Asked[]): Promise<readonly StoreResult[]> => {
    sent.push(statements.map(({ text }) => text).join(" "))
    await new Promise<void>((resolve) => letGo.push(resolve))
    const lost = statements.find(({ text }) => text === "lost")
    if (lost) throw new Error("lost")
    if (statements.some(({ text }) => text === "bad")) throw undone
    return statements.map(answered)
  }
  const clock = { ...systemClock, now: () => now }
  const made = new Groups({ clock, together: run, alone: run, isUndone: (error) => error === undone })
  const add = (...texts: string[]) =>
    made.add(texts.map(asked)).then(
      (results) => results.map(({ rows }) => rows[0]!.text).join(" "),
      (error: Error) => error.message,
    )
  const advance = (ms: number): void => {
    now += ms
  }
  const finish = async () => {
    while (letGo.length > 0) {
      letGo.shift()!()
      await nextRound()
    }
  }
  return { add, sent, finish, advance }
}

test("units that are asked for in one turn → one transaction, and each gets its own answers", async () => {
  const { add, sent, finish } = groups()
  const all = Promise.all([add("a", "b"), add("c")])
  await nextRound()
  await finish()
  expect(await all).toEqual(["a b", "c"])
  expect(sent).toEqual(["a b c"])
})

test("units that are asked for while two groups are under way → go together in the next one", async () => {
  const { add, sent, finish } = groups()
  const all = [add("a")]
  await nextRound()
  all.push(add("b"))
  await nextRound()
  all.push(add("c"))
  await nextRound()
  all.push(add("d"))
  await nextRound()
  expect(sent).toEqual(["a", "b"])
  await finish()
  expect([await Promise.all(all), sent]).toEqual([
    ["a", "b", "c", "d"],
    ["a", "b", "c d"],
  ])
})

test("groups that wait for somebody's lock → hold up no others", async () => {
  const { add, sent, finish, advance } = groups()
  const all = [add("a")]
  await nextRound()
  all.push(add("b"))
  await nextRound()
  advance(100)
  all.push(add("c"))
  await nextRound()
  expect(sent).toEqual(["a", "b", "c"])
  await finish()
  await Promise.all(all)
})

test("one unit is refused → nobody else hears of it", async () => {
  const { add, sent, finish } = groups()
  const all = Promise.all([add("a"), add("bad"), add("c")])
  await nextRound()
  await finish()
  expect(await all).toEqual(["a", "undone", "c"])
  expect(sent).toEqual(["a bad c", "a", "bad", "c"])
})

test("nobody knows what became of a group → every one of its units hears so, and none is sent again", async () => {
  const { add, sent, finish } = groups()
  const all = Promise.all([add("a"), add("lost")])
  await nextRound()
  await finish()
  expect(await all).toEqual(["lost", "lost"])
  expect(sent).toEqual(["a lost"])
})

test("more statements than one group takes → several groups", async () => {
  const { add, sent, finish } = groups()
  const all = Promise.all(Array.from({ length: 300 }, () => add("a")))
  await nextRound()
  await finish()
  await all
  expect(sent.map((texts) => texts.split(" ").length)).toEqual([256, 44])
})
