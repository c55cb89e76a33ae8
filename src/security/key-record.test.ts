import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { seededRandom } from "../base/random.ts"
import { idOfKey, isKeyText, type KeyRecord, type NewKey, newKey, revokeIn, works } from "./key-record.ts"

const NOW = 1_000_000
const WANTED: NewKey = { name: "ci", roles: ["bot"], permissions: ["jobs.read"], expiresInMs: 60_000 }
const make = (more: Partial<NewKey> = {}, records: readonly KeyRecord[] = [], seed = 1) =>
  newKey({ ...WANTED, ...more }, records, NOW, seededRandom(seed))

describe("new key", () => {
  test("key text: made → trs_, 12 hexadecimal digits, 43 characters of base64url", () => {
    expect(make().key).toMatch(/^trs_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/)
  })
  test("record: made → holds the hash of the secret part and not the secret", () => {
    const { key, record } = make()
    expect(record).toEqual({
      id: idOfKey(key),
      name: "ci",
      hash: createHash("sha256").update(key.slice(17)).digest("hex"),
      roles: ["bot"],
      permissions: ["jobs.read"],
      principalId: null,
      createdAt: NOW,
      expiresAt: NOW + 60_000,
      revokedAt: null,
    })
    expect(JSON.stringify(record)).not.toContain(key.slice(17))
  })
  test("expiry: null → never", () => expect(make({ expiresInMs: null }).record.expiresAt).toBeNull())
  test("id: already taken → another one", () => {
    const first = make()
    expect(make({ name: "other" }, [first.record]).record.id).not.toBe(first.record.id)
  })
  test("name: of a working key → CONFLICT", () =>
    expect(() => make({}, [make().record], 2)).toThrow(expect.objectContaining({ code: "CONFLICT" })))
  test("name: of a revoked key → free again", () => {
    const { records } = revokeIn([make().record], "ci", NOW)
    expect(make({}, records, 2).record.name).toBe("ci")
  })
  test("name: of an expired key → free again", () => {
    expect(make({}, [{ ...make().record, expiresAt: NOW }], 2).record.name).toBe("ci")
  })
  test.each<[string, Partial<Record<keyof NewKey, unknown>>, string]>([
    ["empty name", { name: "" }, "name"],
    ["name with a line break", { name: "ci\nx" }, "name"],
    ["name of 65 characters", { name: "a".repeat(65) }, "name"],
    ["name like an id", { name: "0123456789ab" }, "name"],
    ["name that is no string", { name: 1 }, "name"],
    ["roles as one string", { roles: "admin" }, "roles"],
    ["an empty permission", { permissions: [""] }, "permissions"],
    ["no expiry said", { expiresInMs: undefined }, "expiresInMs"],
    ["expiry of 0", { expiresInMs: 0 }, "expiresInMs"],
    ["expiry NaN", { expiresInMs: Number.NaN }, "expiresInMs"],
    ["infinite expiry", { expiresInMs: Number.POSITIVE_INFINITY }, "expiresInMs"],
    ["empty principal id", { principalId: "" }, "principalId"],
  ])("wanted key: %s → INVALID", (_, more, path) => {
    expect(() => make(more as Partial<NewKey>)).toThrow(
      expect.objectContaining({ code: "INVALID", issues: [expect.objectContaining({ path })] }),
    )
  })
  test("clock: gives no number → refused before anything is kept", () =>
    expect(() => newKey(WANTED, [], Number.NaN, seededRandom(1))).toThrow("clock"))
})

describe("key text", () => {
  const { key } = make()
  test("key text: as made → recognized", () => expect(isKeyText(key)).toBe(true))
  test.each([
    ["too short", key.slice(0, -1)],
    ["too long", `${key}A`],
    ["line break at the end", `${key}\n`],
    ["other prefix", key.replace("trs_", "sk__")],
    ["upper case id", key.replace(idOfKey(key), "ABCDEF012345")],
  ])("key text: %s → not recognized", (_, text) => expect(isKeyText(text)).toBe(false))
})

describe("works", () => {
  const { record } = make()
  test("key: before its end → works", () => expect(works(record, NOW + 59_999)).toBe(true))
  test("key: at its end → does not", () => expect(works(record, NOW + 60_000)).toBe(false))
  test("key: revoked → does not", () => expect(works({ ...record, revokedAt: NOW }, NOW)).toBe(false))
  test("key: clock gives NaN → does not", () => expect(works(record, Number.NaN)).toBe(false))
})

describe("revoke", () => {
  const first = { ...make().record, revokedAt: 5 }
  const second = make({}, [first], 2).record
  const other = make({ name: "other" }, [first, second], 3).record
  test("by id: one key → only it", () => {
    const { records, revoked } = revokeIn([first, second, other], other.id, NOW)
    expect(revoked).toEqual({ ...other, revokedAt: NOW })
    expect(records[1]).toBe(second)
  })
  test("by name: an earlier key was revoked → keeps its time, gives the newest", () => {
    const { records, revoked } = revokeIn([first, second, other], "ci", NOW)
    expect(records.map((record) => record.revokedAt)).toEqual([5, NOW, null])
    expect(revoked?.id).toBe(second.id)
  })
  test("revoked key: again → unchanged list, its record", () => {
    const before = [first]
    expect(revokeIn(before, "ci", NOW)).toEqual({ records: before, revoked: first })
    expect(revokeIn(before, "ci", NOW).records).toBe(before)
  })
  test("unknown key: → null", () => expect(revokeIn([other], "nobody", NOW).revoked).toBeNull())
})
