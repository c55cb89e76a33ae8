import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonical } from "../base/canonical.ts"
import type { CallContext } from "../contract/call.ts"
import type { Principal } from "../contract/principal.ts"
import { Entries, type Entry } from "./entries.ts"
import { frozen } from "./frozen.ts"
import { keyOf, ownerOf } from "./scope.ts"

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

describe("canonical", () => {
  test("fields in another order → the same text", () => {
    expect(canonical({ a: 1, b: { c: [1, 2], d: null } })).toBe(canonical({ b: { d: null, c: [1, 2] }, a: 1 }))
  })
  test.each([
    [1, "1"],
    [[1, 2], ["1,2"]],
    [["a", "b"], ["a,b"]],
    [{ a: 1 }, [["a", 1]]],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
    [null, undefined],
    [{}, []],
    [1n, 1],
    ["@5", new Date(5)],
    [true, "true"],
    [{ a: undefined }, {}],
  ])("%s and %s → two texts", (one, other) => expect(canonical(one)).not.toBe(canonical(other)))
  test("two values of JSON → one text exactly when they are alike", () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        const isAlike = (() => {
          try {
            expect(one).toEqual(other)
            return true
          } catch {
            return false
          }
        })()
        // -0 is 0 to everybody who sends it.
        expect(canonical(one) === canonical(other)).toBe(isAlike || JSON.stringify(one) === JSON.stringify(other))
      }),
    )
  })
  test.each([
    ["a map", new Map()],
    ["a class", new (class A {})()],
    ["a function", () => 1],
    ["a symbol", Symbol("a")],
    ["bytes", new Uint8Array(1)],
  ])("%s, however deep → none", (_name, value) => {
    expect(canonical(value)).toBeNull()
    expect(canonical({ a: [{ b: value }] })).toBeNull()
  })
  test("a value that holds itself → none", () => {
    const loop: unknown[] = []
    loop.push(loop)
    expect(canonical(loop)).toBeNull()
  })
})

describe("frozen", () => {
  test("any value of JSON → an equal copy that nobody can change", () => {
    fc.assert(
      fc.property(json, (value) => {
        const copy = frozen(value)
        // A field of that name cannot be copied safely.
        if (JSON.stringify(value).includes("__proto__")) return
        expect(copy!.value).toEqual(value)
        const check = (part: unknown): void => {
          if (typeof part !== "object" || part === null) return
          expect(Object.isFrozen(part)).toBe(true)
          Object.values(part).forEach(check)
        }
        check(copy!.value)
      }),
    )
  })
  test("the original stays as it is", () => {
    const mine = { list: [1] }
    frozen(mine)
    mine.list.push(2)
    expect(mine).toEqual({ list: [1, 2] })
  })
  test("larger values → more bytes", () => {
    expect(frozen({ text: "a".repeat(1_000) })!.bytes).toBeGreaterThan(2_000)
  })
  test.each([
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a class", new (class A {})()],
    ["a bigint", 1n],
  ])("%s, however deep → null", (_name, value) => {
    expect(frozen(value)).toBeNull()
    expect(frozen([{ value }])).toBeNull()
  })
})

describe("whose a kept answer is", () => {
  const rules = { isShared: false, key: undefined }
  const asked = (principal: Principal | null, isOwnAuthority = false): CallContext =>
    ({ principal, isOwnAuthority, operation: "a", effect: "read" }) as unknown as CallContext
  const ada: Principal = { id: "ada", kind: "user", roles: ["a", "b"], permissions: ["p"], tenant: "t", claims: { plan: "gold", exp: 1 } }
  const keyFor = (principal: Principal | null, isOwnAuthority = false) => keyOf({ id: 1 }, asked(principal, isOwnAuthority), rules)

  test("the same caller → the same key, whatever the order of its roles, and with another token", () => {
    expect(keyFor({ ...ada, roles: ["b", "a"], claims: { exp: 2, plan: "gold" } })).toBe(keyFor(ada))
  })
  test.each<[string, Partial<Principal>]>([
    ["id", { id: "bob" }],
    ["kind", { kind: "key" }],
    ["roles", { roles: ["a"] }],
    ["permissions", { permissions: [] }],
    ["tenant", { tenant: "u" }],
    ["claims", { claims: { plan: "free" } }],
    ["credential", { credential: "c1" }],
    ["field that no principal needs", { plan: "gold" } as Partial<Principal>],
  ])("another %s → another key", (_name, change) => expect(keyFor({ ...ada, ...change })).not.toBe(keyFor(ada)))
  test("nobody, the application, and somebody → three keys", () => {
    expect(new Set([keyFor(null), keyFor(null, true), keyFor(ada), keyFor(ada, true)]).size).toBe(4)
  })
  test("no two callers of any names → one key", () => {
    const principal = fc.record({
      id: fc.string({ minLength: 1 }),
      kind: fc.constantFrom<Principal["kind"]>("user", "key", "service"),
      roles: fc.option(fc.array(fc.string()), { nil: undefined }),
      tenant: fc.option(fc.string(), { nil: undefined }),
      credential: fc.option(fc.string(), { nil: undefined }),
    }) as fc.Arbitrary<Principal>
    const told = ({ id, kind, roles, tenant, credential }: Principal) =>
      JSON.stringify([id, kind, roles && [...roles].sort(), tenant, credential])
    fc.assert(
      fc.property(principal, principal, (one, other) => {
        expect(keyFor(one) === keyFor(other)).toBe(told(one) === told(other))
      }),
    )
  })
  test("claims that cannot be compared → none, for two of them would look alike", () => {
    class Org {}
    expect(keyFor({ ...ada, claims: { org: new Org() } })).toBeNull()
    expect(keyOf({}, asked({ ...ada, claims: { org: new Org() } }), { isShared: true, key: undefined })).toBe(
      keyOf({}, asked(ada), { isShared: true, key: undefined }),
    )
  })
  test("shared → one key and no owner", () => {
    const shared = { isShared: true, key: undefined }
    expect(keyOf({}, asked(ada), shared)).toBe(keyOf({}, asked(null), shared))
    expect(ownerOf(asked(ada), true)).toBeNull()
  })
  test("a frozen principal → the same key as its copy", () => {
    const key: Principal = Object.freeze({ id: "k", kind: "key", roles: Object.freeze(["a"]), permissions: Object.freeze([]) })
    expect([keyFor(key), keyFor(key)]).toEqual([keyFor({ ...key }), keyFor({ ...key })])
  })
  test("a key of one's own: what is no text → request-not-mapped", () => {
    const wrong = { isShared: false, key: () => undefined as unknown as string }
    expect(() => keyOf({}, asked(ada), wrong)).toThrow(expect.objectContaining({ reason: "request-not-mapped" }))
  })
})

describe("entries", () => {
  const entry = (id: string, bytes = 0, kind: Principal["kind"] = "user"): Entry => ({ owner: { id, kind }, bytes })
  test("more than fit → the least recently used goes", () => {
    const entries = new Entries(2)
    entries.put("a", entry("ada"))
    entries.put("b", entry("bob"))
    entries.get("a")
    entries.put("c", entry("cy"))
    expect([entries.get("a"), entries.get("b"), entries.get("c")].map((one) => one?.owner?.id)).toEqual(["ada", undefined, "cy"])
  })
  test("more bytes than fit → the oldest go; one that is too large alone is not kept, and costs no other its place", () => {
    const entries = new Entries(100, 10_000)
    for (let i = 0; i < 10; i++) entries.put(`${i}`, entry("ada", 2_000))
    expect(entries.size).toBe(4)
    entries.put("large", entry("ada", 20_000))
    expect([entries.size, entries.get("large")]).toEqual([4, undefined])
    entries.put("9", entry("ada", 20_000))
    expect(entries.size).toBe(3)
    entries.put("again", entry("ada", 9_000))
    expect(entries.size).toBe(1)
  })
  test("revoked → only theirs go", () => {
    const entries = new Entries(10)
    entries.put("a", entry("ada"))
    entries.put("b", entry("bob"))
    entries.put("k", entry("ada", 0, "key"))
    entries.forget({ id: "ada", kind: "user" })
    expect([entries.get("a"), entries.get("b")?.owner?.id, entries.get("k")?.owner?.id]).toEqual([undefined, "bob", "ada"])
  })
})
