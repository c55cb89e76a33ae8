import { describe, expect, test } from "vitest"
import { EachItem, type Items } from "./each-item.ts"

const half = (item: unknown): unknown => {
  if (typeof item !== "number") throw new TypeError("no number")
  return item / 2
}

/** Gives some items, then waits. */
function waiting(...given: unknown[]) {
  const seen = { returned: 0 }
  const items: Items = {
    [Symbol.asyncIterator]: () => ({
      next: () => (given.length > 0 ? Promise.resolve({ done: false, value: given.shift() }) : new Promise<never>(() => {})),
      return: () => {
        seen.returned++
        return Promise.reject(new Error("not so fast"))
      },
    }),
  }
  return { items, seen }
}

async function all(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const item of items) seen.push(item)
  return seen
}

describe("each item", () => {
  test.each([
    ["a list", () => [2, 4]],
    ["a list of promises", () => [Promise.resolve(2), 4]],
    [
      "a generator",
      async function* () {
        yield* [2, 4]
      },
    ],
  ] as [string, () => Items][])("of %s: made anew, in order", async (_, items) => {
    expect(await all(new EachItem(items(), half))).toEqual([1, 2])
  })

  test("ended while its source waits: the source hears of it at once, and once", async () => {
    const { items, seen } = waiting(2)
    const each = new EachItem(items, half)
    expect(await each.next()).toEqual({ done: false, value: 1 })
    void each.next()
    await Promise.all([each.return(), each.return()])
    expect(seen.returned).toBe(1)
    expect(await each.next()).toEqual({ done: true, value: undefined })
  })

  test("one that cannot be made: an error, and the source is ended", async () => {
    const { items, seen } = waiting("x", 2)
    const each = new EachItem(items, half)
    await expect(each.next()).rejects.toThrow("no number")
    expect(seen.returned).toBe(1)
    expect(await each.next()).toEqual({ done: true, value: undefined })
  })

  test.each([
    ["when it begins", { [Symbol.asyncIterator]: () => broken() }],
    ["when it is asked", { [Symbol.asyncIterator]: () => ({ next: broken }) }],
  ])("a source that throws %s: its error, then the end", async (_, items) => {
    const each = new EachItem(items, half)
    await expect(each.next()).rejects.toThrow("broken")
    expect(await each.next()).toEqual({ done: true, value: undefined })
  })
})

function broken(): never {
  throw new Error("broken")
}
