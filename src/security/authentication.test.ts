import { describe, expect, test, vi } from "vitest"
import type { Authenticate, Principal, RequestHead } from "../contract/principal.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { openAuthentication } from "./authentication.ts"
import { authenticator } from "./authenticator.ts"

const HOST = { now: () => 0, folder: "/nowhere", revoked: () => {}, watch: () => {} }
const HEAD: RequestHead = { method: "GET", path: "/", headers: {}, address: "127.0.0.1" }
const ANN: Principal = { id: "ann", kind: "user", roles: ["guard"] }
const BOB: Principal = { id: "bob", kind: "service" }
const chain = (...verify: ((head: RequestHead) => unknown)[]): Promise<Authenticate> =>
  openAuthentication(
    verify.map((each, i) => authenticator(`a${i}`, each as Authenticate)),
    HOST,
  )

describe("order", () => {
  test("no authenticators: → null", async () => expect((await chain())(HEAD)).toBeNull())
  test("all answer null: → null, at once", async () =>
    expect(
      (
        await chain(
          () => null,
          () => null,
        )
      )(HEAD),
    ).toBeNull())
  test("first answers: → it decides at once, the next is not asked", async () => {
    const next = vi.fn(() => BOB)
    expect((await chain(() => ANN, next))(HEAD)).toBe(ANN)
    expect(next).not.toHaveBeenCalled()
  })
  test("first says bad: → bad, the next is not asked", async () => {
    const next = vi.fn(() => BOB)
    expect((await chain(() => "bad", next))(HEAD)).toBe("bad")
    expect(next).not.toHaveBeenCalled()
  })
  test("first null: → the second decides, at once", async () =>
    expect(
      (
        await chain(
          () => null,
          () => BOB,
        )
      )(HEAD),
    ).toBe(BOB))
  test("asynchronous null, then synchronous: → promise of the second", async () => {
    const answer = (
      await chain(
        async () => null,
        () => BOB,
      )
    )(HEAD)
    expect(answer).toBeInstanceOf(Promise)
    expect(await answer).toBe(BOB)
  })
  test("asynchronous bad: → bad, the next is not asked", async () => {
    const next = vi.fn(() => BOB)
    expect(await (await chain(async () => "bad", next))(HEAD)).toBe("bad")
    expect(next).not.toHaveBeenCalled()
  })
  test("several asynchronous: → asked one after the other", async () => {
    expect(
      await (
        await chain(
          async () => null,
          async () => null,
          async () => ANN,
        )
      )(HEAD),
    ).toBe(ANN)
  })
})

describe("failure", () => {
  const cause = new RangeError("directory down")
  const expected = { code: "UNAVAILABLE", cause, note: expect.stringContaining('"a0"') }
  test("throws: → UNAVAILABLE with the cause, the next is not asked", async () => {
    const next = vi.fn(() => BOB)
    const verify = await chain(() => {
      throw cause
    }, next)
    expect(() => verify(HEAD)).toThrow(expect.objectContaining(expected))
    expect(next).not.toHaveBeenCalled()
  })
  test("rejects: → UNAVAILABLE with the cause", async () => {
    const verify = await chain(
      () => Promise.reject(cause),
      () => BOB,
    )
    await expect(verify(HEAD)).rejects.toMatchObject(expected)
  })
  test("throws a TrestleError of another code: → UNAVAILABLE all the same", async () => {
    const verify = await chain(() => {
      throw new TrestleError("NOT_FOUND")
    })
    expect(() => verify(HEAD)).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }))
  })
  test("throws UNAVAILABLE: → kept, it names the fix", async () => {
    const error = new TrestleError("UNAVAILABLE", undefined, { note: "chmod" })
    const verify = await chain(() => {
      throw error
    })
    expect(() => verify(HEAD)).toThrow(error)
  })
  test("cannot be opened: → UNAVAILABLE that names it", async () => {
    const opening = openAuthentication([{ kind: "ldap", open: () => Promise.reject(cause) }], HOST)
    await expect(opening).rejects.toMatchObject({ code: "UNAVAILABLE", cause, note: expect.stringContaining('"ldap"') })
  })
})

describe("answer that is none", () => {
  const cases: [string, unknown][] = [
    ["undefined", undefined],
    ["true", true],
    ["another word", "ok"],
    ["no id", { kind: "user" }],
    ["empty id", { id: "", kind: "user" }],
    ["number as id", { id: 1, kind: "user" }],
    ["no kind", { id: "ann" }],
    ["unknown kind", { id: "ann", kind: "admin" }],
    ["the kind system", { id: "system", kind: "system" }],
    ["roles as one string", { ...ANN, roles: "administrator" }],
    ["permissions with a number", { ...ANN, permissions: [1] }],
    ["number as tenant", { ...ANN, tenant: 7 }],
  ]
  test.each(cases)("verify: answers %s → UNAVAILABLE", async (_, answer) => {
    const verify = await chain(() => answer)
    expect(() => verify(HEAD)).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }))
  })
  test("verify: promises no principal → UNAVAILABLE", async () => {
    const verify = await chain(async () => undefined)
    await expect(verify(HEAD)).rejects.toMatchObject({ code: "UNAVAILABLE" })
  })
})

test("authenticator with state: opened → keeps its this, gets the host", async () => {
  class Stateful {
    readonly kind = "stateful"
    readonly who = ANN
    open(host: { folder: string }): Authenticate {
      return () => ({ ...this.who, tenant: host.folder })
    }
  }
  expect((await openAuthentication([new Stateful()], HOST))(HEAD)).toEqual({ ...ANN, tenant: "/nowhere" })
})
