import { execFile } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { systemRandom } from "../base/random.ts"
import { type KeyStore, memoryKeyStore, type NewKey, openKeyStore } from "./key-store.ts"

const WANTED: NewKey = { name: "ci", roles: ["bot"], permissions: [], expiresInMs: null }

let folder: string
let file: string
let now: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trestle-keys-"))
  file = join(folder, "keys.json")
  now = 1_700_000_000_000
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (): KeyStore => openKeyStore({ folder, now: () => now, random: systemRandom })
const unavailable = (note: RegExp) => expect.objectContaining({ code: "UNAVAILABLE", note: expect.stringMatching(note) })

describe.each([
  ["file", () => open()],
  ["memory", () => memoryKeyStore({ now: () => now })],
])("key store (%s)", (_, make) => {
  test("created key: → found by its id, and listed", async () => {
    const store = make()
    const { record } = await store.create(WANTED)
    expect(store.find(record.id)).toEqual(record)
    expect(store.list()).toEqual([record])
  })
  test("unknown id: → undefined", () => expect(make().find("0123456789ab")).toBeUndefined())
  test("revoked key: → found with the time", async () => {
    const store = make()
    const { record } = await store.create(WANTED)
    expect((await store.revoke("ci"))?.revokedAt).toBe(now)
    expect(store.find(record.id)?.revokedAt).toBe(now)
  })
  test("revoke: unknown → null", async () => expect(await make().revoke("nobody")).toBeNull())
  test("bad wish: → rejects with INVALID, and the next one goes through", async () => {
    const store = make()
    await expect(store.create({ ...WANTED, name: "" })).rejects.toMatchObject({ code: "INVALID" })
    await store.create(WANTED)
    expect(store.list()).toHaveLength(1)
  })
  test("keys made at once: → none lost", async () => {
    const store = make()
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.create({ ...WANTED, name: `k${i}` })))
    expect(store.list().map((record) => record.name)).toEqual(Array.from({ length: 10 }, (_, i) => `k${i}`))
  })
})

describe("key file", () => {
  test("opening: no file → empty, nothing written", () => {
    rmSync(folder, { recursive: true })
    expect(open().list()).toEqual([])
    expect(() => statSync(folder)).toThrow("ENOENT")
  })
  test("revoking: nothing to revoke → no file written", async () => {
    await open().revoke("nobody")
    expect(readdirSync(folder)).toEqual([])
  })
  test("first key: folder missing → made for this user only, the file with mode 0600 and nothing left beside it", async () => {
    rmSync(folder, { recursive: true })
    await open().create(WANTED)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(["keys.json"])
  })
  test("file: never holds the key text", async () => {
    const { key } = await open().create(WANTED)
    expect(readFileSync(file, "utf8")).not.toContain(key.slice(17))
  })
  test("fields it does not know: another key is made → kept", async () => {
    await open().create(WANTED)
    const content = JSON.parse(readFileSync(file, "utf8"))
    content.keys[0].future = "x"
    writeFileSync(file, JSON.stringify(content))
    await open().create({ ...WANTED, name: "two" })
    expect(JSON.parse(readFileSync(file, "utf8")).keys[0].future).toBe("x")
  })
  test("temporary file of a crashed writer: next change → removed", async () => {
    writeFileSync(`${file}.dead.tmp`, "{")
    await open().create(WANTED)
    expect(readdirSync(folder)).toEqual(["keys.json"])
  })

  const KEY = {
    id: "0123456789ab",
    name: "ci",
    hash: "0".repeat(64),
    roles: [],
    permissions: [],
    principalId: null,
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
  }
  const content = (...keys: unknown[]): string => JSON.stringify({ format: "trestle-keys/1", keys })
  const without = (field: keyof typeof KEY): unknown => Object.fromEntries(Object.entries(KEY).filter(([name]) => name !== field))
  test("file written by hand: sound → read", () => {
    writeFileSync(file, content(KEY))
    expect(open().find(KEY.id)).toEqual(KEY)
  })
  test.each<readonly [string, string]>([
    ["empty", ""],
    ["cut off", content(KEY).slice(0, -5)],
    ["null", "null"],
    ["a list", "[]"],
    ["another format", content(KEY).replace("keys/1", "keys/2")],
    ["keys that are no list", '{"format":"trestle-keys/1","keys":{}}'],
    ["a key that is null", content(null)],
    ["the same id twice", content(KEY, KEY)],
    ["a hash of another length", content({ ...KEY, hash: "00" })],
    ["roles as one string", content({ ...KEY, roles: "admin" })],
    ["a date as text", content({ ...KEY, expiresAt: "2030-01-01" })],
    ...(Object.keys(KEY) as (keyof typeof KEY)[]).map((field) => [`no ${field}`, content(without(field))] as const),
  ])("broken file: %s → refused with file and fix, for reading and for writing", async (_, text) => {
    const store = open()
    writeFileSync(file, text)
    expect(open).toThrow(unavailable(/keys\.json is broken.*trestle keys create/))
    await expect(store.create(WANTED)).rejects.toEqual(unavailable(/broken/))
    expect(readFileSync(file, "utf8")).toBe(text)
  })
  test("refusal: what a caller hears → neither file nor fix", () => {
    writeFileSync(file, "")
    expect(open).toThrow(expect.objectContaining({ detail: expect.not.stringContaining("keys") }))
  })
  test("file: is a folder → refused", () => {
    mkdirSync(file)
    expect(open).toThrow(unavailable(/cannot read the key file .*keys\.json \(EISDIR\)/))
  })
  test("folder: is a file → refused", () => {
    writeFileSync(file, "")
    expect(() => openKeyStore({ folder: file, now: () => now, random: systemRandom })).toThrow(unavailable(/ENOTDIR/))
  })
  test("file: everybody may write it → refused with the command", () => {
    writeFileSync(file, content())
    chmodSync(file, 0o666)
    expect(open).toThrow(unavailable(/chmod 600/))
  })
})

describe("changes by others", () => {
  test("key of another process: within a second → not yet looked for; then found", async () => {
    const server = open()
    const { record } = await open().create(WANTED)
    now += 49
    expect(server.find(record.id)).toBeUndefined()
    now += 1
    expect(server.find(record.id)).toEqual(record)
  })
  test("revocation by another process: after a second → seen", async () => {
    const server = open()
    const { record } = await server.create(WANTED)
    await open().revoke(record.id)
    now += 1_000
    expect(server.find(record.id)?.revokedAt).not.toBeNull()
  })
  test("clock: set back → looked at once", async () => {
    const server = open()
    const { record } = await open().create(WANTED)
    now -= 3_600_000
    expect(server.find(record.id)).toEqual(record)
  })
  test("file: unchanged → the same record, not read again", async () => {
    const server = open()
    const { record } = await server.create(WANTED)
    const before = server.find(record.id)
    now += 5_000
    expect(server.find(record.id)).toBe(before)
  })
  test("file: breaks → every find fails until it is whole again", async () => {
    const server = open()
    const { record } = await server.create(WANTED)
    const sound = readFileSync(file, "utf8")
    writeFileSync(file, "{")
    now += 1_000
    expect(() => server.find(record.id)).toThrow(unavailable(/broken/))
    expect(() => server.find(record.id)).toThrow(unavailable(/broken/))
    writeFileSync(file, sound)
    utimesSync(file, 1, 1)
    now += 1_000
    expect(server.find(record.id)).toEqual(record)
  })
  test("file: removed → no key is known", async () => {
    const server = open()
    const { record } = await server.create(WANTED)
    rmSync(file)
    now += 1_000
    expect(server.find(record.id)).toBeUndefined()
  })
})

test("two processes: 25 keys each at the same time → 50 keys", async () => {
  const program = (prefix: string): string => `
    import { openKeyStore } from ${JSON.stringify(new URL("./key-store.ts", import.meta.url).href)}
    import { systemRandom } from ${JSON.stringify(new URL("../base/random.ts", import.meta.url).href)}
    const store = openKeyStore({ folder: ${JSON.stringify(folder)}, now: Date.now, random: systemRandom })
    for (let i = 0; i < 25; i++) await store.create({ name: "${prefix}" + i, roles: [], permissions: [], expiresInMs: null })`
  const run = (prefix: string) => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program(prefix)])
  await Promise.all([run("a"), run("b")])
  const names = open()
    .list()
    .map((record) => record.name)
  expect(names).toHaveLength(50)
  expect(new Set(names).size).toBe(50)
  expect(readdirSync(folder)).toEqual(["keys.json"])
})
