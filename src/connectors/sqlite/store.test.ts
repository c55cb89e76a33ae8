import { describe, expect, test } from "vitest"
import type { Store, StoreValue } from "../../contract/store.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { SqliteStore } from "./store.ts"
import type { GroupReply, GroupWriter, NumberedText } from "./store-message.ts"
import { Turns } from "./turns.ts"

const PUT = "insert into things (key) values (?)"
const put = (store: Store, key: StoreValue) => store.unit([{ text: PUT, values: [key] }])

/** Remembers its groups, and answers each when it is told to. */
class Scripted implements GroupWriter {
  readonly groups: StoreValue[][] = []
  #answer: ((reply: GroupReply) => void) | null = null
  isClosed = false

  write(_: readonly NumberedText[], units: readonly StoreValue[]): Promise<GroupReply> {
    this.groups.push(units.filter((value) => typeof value === "string"))
    return new Promise((resolve) => (this.#answer = resolve))
  }

  /** Ends the group under way, after what it has set going. */
  async answer(reply: Partial<GroupReply> = {}): Promise<void> {
    const results = this.groups.at(-1)!.flatMap(() => [0, 1])
    this.#answer!({ outcome: "kept", fault: null, newColumns: [], results, faults: [], ...reply })
    this.#answer = null
    await settled()
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

/** Everything that can happen without an answer has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function opened() {
  const writer = new Scripted()
  const turns = new Turns()
  const store = new SqliteStore({ name: "notes", file: "/notes.db", writer, turns, read: async () => [] })
  return { writer, turns, store }
}

const errorOf = (call: Promise<unknown>): Promise<TrestleError> =>
  call.then(
    () => expect.fail("answered"),
    (error) => error as TrestleError,
  )

describe("units", () => {
  test("asked for in one turn of the event loop: are one group", async () => {
    const { writer, store } = opened()
    const later = Promise.resolve().then(() => put(store, "c"))
    const units = [put(store, "a"), put(store, "b"), later]
    await settled()
    expect(writer.groups).toEqual([["a", "b", "c"]])
    await writer.answer()
    expect((await Promise.all(units)).length).toBe(3)
  })

  test("asked for while a group is written: are the next group", async () => {
    const { writer, store } = opened()
    put(store, "a")
    await settled()
    put(store, "b")
    await settled()
    put(store, "c")
    expect(writer.groups).toEqual([["a"]])
    await writer.answer()
    expect(writer.groups).toEqual([["a"], ["b", "c"]])
    await writer.answer()
  })

  test("asked for by those whose group was answered: are one group", async () => {
    const { writer, store } = opened()
    const twice = async (name: string) => {
      await put(store, `${name}1`)
      await put(store, `${name}2`)
    }
    twice("a")
    twice("b")
    await settled()
    await writer.answer()
    expect(writer.groups).toEqual([
      ["a1", "b1"],
      ["a2", "b2"],
    ])
    await writer.answer()
  })

  test("while somebody else writes to the file: wait for their turn, and give it back", async () => {
    const { writer, turns, store } = opened()
    expect(turns.tryTake()).toBe(true)
    put(store, "a")
    await settled()
    expect(writer.groups).toEqual([])
    turns.leave()
    expect(writer.groups).toEqual([["a"]])
    expect(turns.tryTake()).toBe(false)
    await writer.answer()
    expect(turns.tryTake()).toBe(true)
  })

  test("too many that wait: the next is refused", async () => {
    const { writer, store } = opened()
    put(store, "first")
    await settled()
    const waiting = Array.from({ length: 10_000 }, (_, n) => put(store, `k${n}`))
    expect(await errorOf(put(store, "last"))).toMatchObject({ outcome: "refused", reason: "bulkhead-full" })
    await writer.answer()
    await writer.answer()
    expect((await Promise.all(waiting)).length).toBe(10_000)
  })

  test("another number of values than the text had before: refused, the others go on", async () => {
    const { writer, store } = opened()
    const good = put(store, "a")
    const error = await errorOf(store.unit([{ text: PUT, values: ["b", "c"] }]))
    expect(error).toMatchObject({ outcome: "refused", reason: "request-not-mapped" })
    await settled()
    expect(writer.groups).toEqual([["a"]])
    await writer.answer()
    await good
  })
})

describe("a group that was not kept", () => {
  const fault = { message: "said by SQLite", errcode: 778 }

  test("refused: so is each of its units, with an error of its own", async () => {
    const { writer, store } = opened()
    const errors = Promise.all([errorOf(put(store, "a")), errorOf(put(store, "b"))])
    await settled()
    await writer.answer({ outcome: "refused", fault })
    const [one, other] = await errors
    expect(one).toMatchObject({ code: "UNAVAILABLE", outcome: "refused", reason: "refused-by-service" })
    expect(one!.note).toBe("notes: said by SQLite (SQLite 778)")
    expect(other).not.toBe(one)
  })

  test("busy: refused, and worth another attempt", async () => {
    const { writer, store } = opened()
    const error = errorOf(put(store, "a"))
    await settled()
    await writer.answer({ outcome: "refused", fault: { message: "locked", errcode: 5 } })
    expect(await error).toMatchObject({ outcome: "refused", reason: "busy" })
  })

  test("unknown: so is each of its units", async () => {
    const { writer, store } = opened()
    const error = errorOf(put(store, "a"))
    await settled()
    await writer.answer({ outcome: "unknown", fault })
    expect(await error).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
    expect(TrestleError.is(await error)).toBe(true)
  })

  test("the thread has ended: unknown", async () => {
    const { writer, store } = opened()
    const error = errorOf(put(store, "a"))
    await settled()
    await writer.answer({ outcome: "unknown", fault: { message: "the thread has ended", reason: "connection-lost" } })
    expect(await error).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown", note: "notes: the thread has ended" })
  })
})

describe("closing", () => {
  test("with a group under way, and another that waits: after both", async () => {
    const { writer, store } = opened()
    const units = [put(store, "a")]
    await settled()
    units.push(put(store, "b"))
    const closing = store.close()
    await writer.answer()
    expect(writer.isClosed).toBe(false)
    await writer.answer()
    await closing
    expect(writer.isClosed).toBe(true)
    expect((await Promise.all(units)).length).toBe(2)
  })
})
