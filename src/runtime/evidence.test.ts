import { describe, expect, test } from "vitest"
import { z } from "zod"
import { code } from "../backends/code.ts"
import { placeholder } from "../backends/placeholder.ts"
import { op } from "../contract/op.ts"
import type { Operation } from "../contract/operation.ts"
import { checkDeclarations } from "./check.ts"
import { addSighting, type Sighting, standingOf } from "./evidence.ts"

const EPOCH = Date.parse("2026-11-02T10:00:00Z")
const contract = { effect: "read", input: z.object({}), output: z.object({ n: z.number() }) } as const
const operationOf = (more: object = {}, backend: any = code(() => ({ n: 1 }))): Operation =>
  checkDeclarations({ count: op({ ...contract, ...more }).via(backend) }, {}).operations[0]!

const real = operationOf()
const seen = (more: Partial<Sighting> = {}): Sighting => ({
  contract: real.contractHash,
  backend: "code",
  epoch: EPOCH,
  servedBy: "code",
  ms: 3,
  count: 1,
  ...more,
})

describe("how real an operation is", () => {
  test("a placeholder: whatever was seen of it before", () => {
    const stub = operationOf({}, placeholder({ n: 1 }, "waiting"))
    expect(standingOf(stub, "placeholder", { count: { live: seen() } })).toEqual({ state: "placeholder", why: "waiting", seen: null })
  })
  test("nothing seen → wired, without a reason", () => {
    expect(standingOf(real, "code", {})).toEqual({ state: "wired", why: null, seen: null })
  })
  test("verified → verified", () => {
    expect(standingOf(real, "code", { count: { verified: seen() } })).toEqual({ state: "verified", why: null, seen: seen() })
  })
  test("live and verified → live", () => {
    expect(standingOf(real, "code", { count: { verified: seen(), live: seen({ ms: 9 }) } })).toMatchObject({
      state: "live",
      seen: { ms: 9 },
    })
  })
  test("live under another contract, verified under this one → verified", () => {
    const book = { count: { verified: seen(), live: seen({ contract: "other" }) } }
    expect(standingOf(real, "code", book)).toMatchObject({ state: "verified", why: null })
  })
  test.each([
    ["verified", { verified: seen({ contract: "other" }) }, "was verified on 2026-11-02, before the contract changed"],
    ["live", { live: seen({ contract: "other" }) }, "was live on 2026-11-02, before the contract changed"],
    ["another backend", { live: seen({ backend: "rest crm" }) }, "was live on 2026-11-02, by rest crm, before the backend changed"],
  ])("%s before a change → wired, and says so", (_, evidence, why) => {
    expect(standingOf(real, "code", { count: evidence })).toEqual({ state: "wired", why, seen: null })
  })
  test("evidence under a path it once had → counts", () => {
    expect(standingOf(operationOf({ was: ["tally"] }), "code", { tally: { live: seen() } })).toMatchObject({ state: "live" })
  })
  test("evidence of an operation called like a member of every object → none", () => {
    expect(standingOf({ ...real, path: "constructor" }, "code", {})).toMatchObject({ state: "wired", why: null })
  })
})

describe("a later sighting", () => {
  test("of the same contract and backend → counts both", () => expect(addSighting(seen({ count: 2 }), seen({ count: 3 })).count).toBe(5))
  test.each([{ contract: "other" }, { backend: "rest" }])("with another %j → begins anew", (more) => {
    expect(addSighting(seen({ count: 2 }), seen(more)).count).toBe(1)
  })
})
