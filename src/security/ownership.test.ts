import { expect, test, vi } from "vitest"
import type { CallContext } from "../contract/call.ts"
import type { Principal } from "../contract/principal.ts"
import { problemOf } from "../errors/problem.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { compileOwnership, type LoadOwned, type Owner } from "./ownership.ts"

const ANN: Principal = { id: "ann", kind: "user" }
const as = (principal: Principal | null): CallContext => ({ principal }) as CallContext
const owner = (more: Partial<Owner> = {}): Owner => ({ load: {} as Owner["load"], is: (row, who) => row.by === who.id, ...more })
const check = (load: LoadOwned, more: Partial<Owner> = {}, who: Principal | null = ANN) =>
  compileOwnership(owner(more), load)({ id: 7 }, as(who))
const gives = (row: unknown): LoadOwned => vi.fn(async () => row)
const fails = (error: unknown): LoadOwned => vi.fn(() => Promise.reject(error))

test("own object: → passes", async () => expect(await check(gives({ by: "ann" }))).toBeUndefined())
test("foreign object: → NOT_FOUND", () => expect(check(gives({ by: "bob" }))).rejects.toMatchObject({ code: "NOT_FOUND" }))
test.each([null, undefined])("load: answers %s → NOT_FOUND, is not asked", async (row) => {
  const is = vi.fn(() => true)
  await expect(check(gives(row), { is })).rejects.toMatchObject({ code: "NOT_FOUND" })
  expect(is).not.toHaveBeenCalled()
})
test("missing and foreign: what the caller hears → exactly the same", async () => {
  const heard = async (load: LoadOwned) => problemOf(await check(load).catch((error) => error))
  const foreign = await heard(gives({ by: "bob" }))
  expect(await heard(gives(null))).toEqual(foreign)
  expect(await heard(fails(new TrestleError("NOT_FOUND", "no answer 7", { reason: "answered" })))).toEqual(foreign)
  expect(await heard(fails(new TrestleError("ANSWER_GONE", "no answer 7", { status: 404 })))).toEqual(foreign)
})
test("load: fails otherwise → its error", async () => {
  const error = new TrestleError("TIMEOUT")
  await expect(check(fails(error))).rejects.toBe(error)
})
test("load: throws at once → its error", async () => {
  const error = new RangeError("no")
  const load = (): never => {
    throw error
  }
  await expect(check(load)).rejects.toBe(error)
})
test("no principal: → UNAUTHENTICATED, nothing loaded", async () => {
  const load = gives({ by: "ann" })
  await expect(check(load, {}, null)).rejects.toMatchObject({ code: "UNAUTHENTICATED" })
  expect(load).not.toHaveBeenCalled()
})
test("by: given → load gets its answer and the call", async () => {
  const load = gives({ by: "ann" })
  await check(load, { by: ({ id }) => ({ answerId: id }) })
  expect(load).toHaveBeenCalledExactlyOnceWith({ answerId: 7 }, expect.objectContaining({ principal: ANN }))
})
test("by: absent → load gets the input", async () => {
  const load = gives({ by: "ann" })
  await check(load)
  expect(load).toHaveBeenCalledExactlyOnceWith({ id: 7 }, expect.anything())
})
test("by: throws → its error, nothing loaded", async () => {
  const load = gives({ by: "ann" })
  const by = (): never => {
    throw new RangeError("no")
  }
  await expect(check(load, { by })).rejects.toThrow(RangeError)
  expect(load).not.toHaveBeenCalled()
})
test.each([1, "true", {}, undefined, Promise.resolve(true)])("is: answers %s → NOT_FOUND", async (answer) => {
  await expect(check(gives({}), { is: () => answer as boolean })).rejects.toMatchObject({ code: "NOT_FOUND" })
})
test("is: promise that rejects → NOT_FOUND, no unhandled rejection", async () => {
  const is = (): boolean => Promise.reject(new RangeError("no")) as never
  await expect(check(gives({}), { is })).rejects.toMatchObject({ code: "NOT_FOUND", note: expect.stringContaining("promise") })
})
test("is: throws → NOT_FOUND with the cause", async () => {
  const cause = new RangeError("no")
  const is = (): boolean => {
    throw cause
  }
  await expect(check(gives({}), { is })).rejects.toMatchObject({ code: "NOT_FOUND", cause })
})
