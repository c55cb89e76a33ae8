import { describe, expect, test } from "vitest"
import { Shares } from "./shares.ts"

/** Claims for that operation until nothing more of it may be claimed; gives how many slots it got. */
function hang(shares: Shares, operation: string): number {
  let got = 0
  while (!shares.isFull && got < 1_000) {
    const { limit, without } = shares.claimable()
    if (without.has(operation)) break
    for (let i = 0; i < limit; i++) shares.take(operation)
    got += limit
  }
  return got
}

describe("shares", () => {
  test("one operation alone → gets every slot, in one claim", () => {
    const shares = new Shares(64, false)
    expect(shares.claimable().limit).toBe(64)
    expect([hang(shares, "a"), shares.isFull]).toEqual([64, true])
  })
  test("operations that hang one after the other → each leaves room for the next", () => {
    const shares = new Shares(64, true)
    expect(["a", "b", "c", "d"].map((operation) => hang(shares, operation))).toEqual([48, 12, 3, 1])
  })
  test("what hangs ends → gets its slots again", () => {
    const shares = new Shares(64, true)
    hang(shares, "a")
    for (let i = 0; i < 48; i++) shares.leave("a")
    expect(hang(shares, "a")).toBe(48)
  })
  test("a job that is put → is begun at once where its operation is not near its share", () => {
    const shares = new Shares(64, true)
    hang(shares, "a")
    expect([shares.mayTake("a"), shares.mayTake("b")]).toEqual([false, true])
  })
  test("runs for callers, beyond every slot → leave room for other operations", () => {
    const shares = new Shares(64, true)
    for (let i = 0; i < 200; i++) shares.take("flow")
    expect([shares.isFull, hang(shares, "b")]).toEqual([false, 12])
    for (let i = 0; i < 200; i++) shares.leave("flow")
    expect(hang(shares, "flow")).toBeGreaterThan(30)
  })
  test("few slots → somebody gets them", () => {
    const shares = new Shares(1, true)
    expect([hang(shares, "a"), shares.isFull]).toEqual([1, true])
  })
})
