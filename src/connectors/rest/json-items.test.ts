import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { elementsIn, linesIn } from "./json-items.ts"

async function* cut(text: string, at: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(from, place)
    from = place
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
const cuts = fc.array(fc.nat(10_000))

describe("elements of an array", () => {
  test("any array, cut anywhere → what JSON.parse makes of it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), cuts, fc.nat(2), async (list, at, indent) => {
        const found = await all(elementsIn(cut(JSON.stringify(list, null, indent), at), undefined))
        expect(found.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(list)))
      }),
    )
  })
  test("in a field of an object with any others → the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), cuts, async (list, others, at) => {
        const { rows: _rows, ...before } = others
        const text = JSON.stringify({ ...before, "0": { rows: [9] }, rows: list })
        const found = await all(elementsIn(cut(text, at), "rows"))
        expect(found.map((one) => JSON.parse(one))).toEqual(JSON.parse(JSON.stringify(list)))
      }),
    )
  })
  test.each([
    ["an array that breaks off", "[1,2", undefined, "ends within the list"],
    ["no array", '{"a":1}', undefined, "holds no list"],
    ["no array in that field", '{"rows":{"rows":[1]}}', "rows", "holds no list in rows"],
    ["the field's name as a value", '{"a":"rows","b":[1]}', "rows", "holds no list in rows"],
  ])("%s → refused", async (_, text, at, why) => {
    await expect(all(elementsIn(cut(text, []), at))).rejects.toThrow(why)
  })
  test("no UTF-8 → refused", async () => {
    const bytes = (async function* () {
      yield Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])
    })()
    await expect(all(elementsIn(bytes, undefined))).rejects.toThrow("no UTF-8")
  })
  test("an element that is too long → refused, and not collected", async () => {
    await expect(all(elementsIn(cut(`["${"x".repeat(2_000_000)}"]`, [100_000]), undefined))).rejects.toThrow("too long")
  })
})

test("lines, cut anywhere → each, without the empty ones", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), cuts, async (list, at) => {
      const text = list.map((one) => `${JSON.stringify(one)}\n\r\n`).join("")
      const found = await all(linesIn(cut(text, at)))
      expect(found.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(list)))
    }),
  )
})
