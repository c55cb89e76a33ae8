import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeEach, describe, expect, test } from "vitest"
import { systemRandom } from "../base/random.ts"
import type { RequestHead } from "../contract/principal.ts"
import { apiKeys, authenticateKeys, reportEnds } from "./api-keys.ts"
import { type KeyStore, memoryKeyStore, openKeyStore } from "./key-store.ts"

let now = 0
let store: KeyStore
let key: string
beforeEach(async () => {
  now = 1_000_000
  store = memoryKeyStore({ now: () => now })
  key = (await store.create({ name: "ci", roles: ["bot"], permissions: ["jobs.read"], expiresInMs: 60_000 })).key
})

const head = (headers: RequestHead["headers"]): RequestHead => ({ method: "GET", path: "/", headers, address: "127.0.0.1" })
const ask = (headers: RequestHead["headers"], options: { header?: string } = {}) =>
  authenticateKeys(store, () => now, options)(head(headers))
const bearer = (text: string): RequestHead["headers"] => ({ authorization: `Bearer ${text}` })
const CI = {
  id: "key:ci",
  kind: "key",
  credential: expect.stringMatching(/^[0-9a-f]{12}$/),
  roles: ["bot"],
  permissions: ["jobs.read"],
}

describe("where the key stands", () => {
  test("bearer: right key → principal, at once", () => expect(ask(bearer(key))).toEqual(CI))
  test("bearer: scheme in any case, several spaces → principal", () => expect(ask({ authorization: `bEARER   ${key}` })).toEqual(CI))
  test("X-Api-Key: right key → principal", () => expect(ask({ "x-api-key": key })).toEqual(CI))
  test("no credential: → null", () => expect(ask({})).toBeNull())
  test("bearer: not ours → null", () => expect(ask(bearer("eyJhbGciOi.J9.x"))).toBeNull())
  test("authorization: another scheme → null", () => expect(ask({ authorization: `Basic ${key}` })).toBeNull())
  test("bearer: not ours, but X-Api-Key → the key counts", () => expect(ask({ ...bearer("eyJ"), "x-api-key": key })).toEqual(CI))
  test("both places: same key → principal", () => expect(ask({ ...bearer(key), "x-api-key": key })).toEqual(CI))
  test("both places: two keys → bad", async () => {
    const other = (await store.create({ name: "two", roles: [], permissions: [], expiresInMs: null })).key
    expect(ask({ ...bearer(key), "x-api-key": other })).toBe("bad")
  })
  test("given header: key there → principal, name in any case", () => expect(ask({ "x-bot": key }, { header: "X-Bot" })).toEqual(CI))
  test("given header: key elsewhere → null", () => expect(ask({ ...bearer(key), "x-api-key": key }, { header: "X-Bot" })).toBeNull())
  test("given header: Authorization → bearer only", () => {
    expect(ask(bearer(key), { header: "Authorization" })).toEqual(CI)
    expect(ask({ "x-api-key": key }, { header: "Authorization" })).toBeNull()
  })
})

describe("wrong keys", () => {
  test.each([
    ["prefix only", () => "trs_"],
    ["cut off", () => key.slice(0, -1)],
    ["two joined by a comma", () => `${key}, Bearer ${key}`],
    ["space after it", () => `${key} `],
    ["unknown id", () => key.replace(/_[0-9a-f]{12}_/, "_000000000000_")],
    ["wrong secret", () => key.slice(0, 17) + key.slice(17).split("").reverse().join("")],
  ])("bearer: %s → bad", (_, text) => expect(ask(bearer(text()))).toBe("bad"))
  test("X-Api-Key: not in our form → bad", () => expect(ask({ "x-api-key": "letmein" })).toBe("bad"))
  test("given header: not in our form → bad", () => expect(ask({ "x-bot": "letmein" }, { header: "x-bot" })).toBe("bad"))
  test("secret of another key: with this id → bad", async () => {
    const other = (await store.create({ name: "two", roles: [], permissions: [], expiresInMs: null })).key
    expect(ask(bearer(key.slice(0, 17) + other.slice(17)))).toBe("bad")
  })
  test("expired key: → bad from that millisecond on", () => {
    const verify = authenticateKeys(store, () => now)
    now += 59_999
    expect(verify(head(bearer(key)))).toEqual(CI)
    now += 1
    expect(verify(head(bearer(key)))).toBe("bad")
  })
  test("revoked key: used before → bad", async () => {
    const verify = authenticateKeys(store, () => now)
    expect(verify(head(bearer(key)))).toEqual(CI)
    await store.revoke("ci")
    expect(verify(head(bearer(key)))).toBe("bad")
  })
  test("store: fails → throws, lets nobody in", () => {
    const failing = { ...store, find: () => expect.fail("keys unreadable") }
    expect(() => authenticateKeys(failing, () => now)(head(bearer(key)))).toThrow("keys unreadable")
  })
})

describe("principal", () => {
  test("key made for somebody: → has that id", async () => {
    const made = await store.create({ name: "anns", roles: [], permissions: [], expiresInMs: null, principalId: "ann" })
    expect(ask(bearer(made.key))).toMatchObject({ id: "ann", kind: "key" })
  })
  test("two requests: → the same frozen principal", () => {
    const verify = authenticateKeys(store, () => now)
    const first = verify(head(bearer(key))) as unknown as { roles: string[] }
    expect(verify(head(bearer(key)))).toBe(first)
    expect(() => first.roles.push("admin")).toThrow(TypeError)
  })
})

describe("apiKeys", () => {
  test("scheme: default → bearer; given header → that header", () => {
    expect(apiKeys().scheme).toMatchObject({ type: "http", scheme: "bearer" })
    expect(apiKeys({ header: "X-Bot" }).scheme).toEqual({ type: "apiKey", in: "header", name: "X-Bot" })
  })
  test("opened in a folder: → knows its keys; broken file → UNAVAILABLE", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-api-keys-"))
    try {
      const made = await openKeyStore({ folder, now: () => now, random: systemRandom }).create({
        name: "disk",
        roles: [],
        permissions: [],
        expiresInMs: null,
      })
      const verify = await apiKeys().open({ folder, now: () => now, revoked: () => {}, watch: () => {} })
      expect(verify(head(bearer(made.key)))).toMatchObject({ id: "key:disk" })
      writeFileSync(join(folder, "keys.json"), "broken")
      expect(() => apiKeys().open({ folder, now: () => now, revoked: () => {}, watch: () => {} })).toThrow(
        expect.objectContaining({ code: "UNAVAILABLE" }),
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe("the ends of keys", () => {
  const reported = () => {
    const ends: unknown[] = []
    let look = (): void => {}
    reportEnds(store, { now: () => now, revoked: (end) => ends.push(end), watch: (looking) => (look = looking) })
    return { ends, look: () => look() }
  }
  const credential = () => store.list()[0]!.id

  test("a working key: → nothing is said", () => {
    const { ends, look } = reported()
    look()
    expect(ends).toEqual([])
  })
  test("revoked → said once, with the key's own id", async () => {
    const { ends, look } = reported()
    await store.revoke("ci")
    look()
    look()
    expect(ends).toEqual([{ id: "key:ci", kind: "key", credential: credential() }])
  })
  test("expired → said once", () => {
    const { ends, look } = reported()
    now += 60_000
    look()
    look()
    expect(ends).toHaveLength(1)
  })
  test("ended before the start → said at the start", async () => {
    await store.revoke("ci")
    expect(reported().ends).toEqual([{ id: "key:ci", kind: "key", credential: credential() }])
  })
  test("made and revoked between two looks → said once", async () => {
    const { ends, look } = reported()
    const { record } = await store.create({ name: "brief", roles: [], permissions: [], expiresInMs: null })
    await store.revoke("brief")
    look()
    look()
    expect(ends).toEqual([{ id: "key:brief", kind: "key", credential: record.id }])
  })
  test("gone from the list → said once", () => {
    const { ends, look } = reported()
    store.list = () => []
    look()
    look()
    expect(ends).toHaveLength(1)
  })
  test("the keys cannot be read → nothing is said, and nothing thrown", () => {
    const { ends, look } = reported()
    store.list = () => {
      throw new Error("broken")
    }
    look()
    expect(ends).toEqual([])
  })
})
