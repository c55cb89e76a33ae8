import fc from "fast-check"
import { expect, test } from "vitest"
import { CallList } from "./call-list.ts"

class One {
  newer: One | null = null
  older: One | null = null
}

test("added → all, newest first; removed → gone, with its links cut", () => {
  const list = new CallList<One>()
  const [a, b, c] = [new One(), new One(), new One()]
  expect([list.isEmpty, list.all()]).toEqual([true, []])
  for (const one of [a, b, c]) list.add(one)
  expect(list.all()).toEqual([c, b, a])
  list.remove(b)
  expect([list.all().length, b.newer, b.older]).toEqual([2, null, null])
  list.remove(c)
  list.remove(a)
  expect([list.isEmpty, list.all()]).toEqual([true, []])
})

test("removed twice, or never added → nothing", () => {
  const list = new CallList<One>()
  const [a, b] = [new One(), new One()]
  list.remove(a)
  list.add(a)
  list.remove(b)
  expect(list.all()).toEqual([a])
  list.remove(a)
  list.remove(a)
  expect(list.isEmpty).toBe(true)
})

test("any script → like a Set", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(7))), (script) => {
      const list = new CallList<One>()
      const set = new Set<One>()
      const ones = Array.from({ length: 8 }, () => new One())
      for (const [adds, which] of script) {
        const one = ones[which]!
        if (adds && !set.has(one)) {
          list.add(one)
          set.add(one)
        } else if (!adds) {
          list.remove(one)
          set.delete(one)
        }
        expect(new Set(list.all())).toEqual(set)
        expect([list.all().length, list.isEmpty]).toEqual([set.size, set.size === 0])
      }
    }),
    { numRuns: 500 },
  )
})
