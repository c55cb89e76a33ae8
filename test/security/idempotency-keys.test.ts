// Keys of callers against other callers: over a real socket, with real API keys and a real store.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { anyone, apiKeys, code, op, openKeyStore, type Running, role, signedIn, trestle } from "../../src/index.ts"

const folder = mkdtempSync(join(tmpdir(), "trestle-keys-"))
const keys = openKeyStore({ folder })
const environment = {
  name: "test",
  folder,
  sources: [],
  findings: [],
  get: (name: string) => ({ TRESTLE_DATA: { value: folder }, TRESTLE_LOG: { value: "silent" } })[name],
  names: () => [],
} as never

const Order = z.object({ item: z.string() })
let effects = 0
const ops = {
  order: op({
    http: "POST /orders",
    input: Order,
    output: z.object({ id: z.number(), note: z.string() }),
    allow: signedIn(),
    repeat: "key",
  }).via(code(({ item }, { user }) => ({ id: ++effects, note: `${item} for the eyes of ${user!.id} only` }))),
  guarded: op({ http: "POST /guarded", input: Order, output: z.object({ id: z.number() }), allow: role("guard"), repeat: "key" }).via(
    code(() => ({ id: ++effects })),
  ),
  signUp: op({
    http: "POST /sign-up",
    input: Order,
    output: z.object({ id: z.number(), token: z.string().meta({ format: "password" }).optional() }),
    allow: anyone("sign-up form"),
    repeat: "key",
  }).via(code(() => ({ id: ++effects, token: `token-${effects}-s3cret` }))),
}
const app = trestle({ name: "keys", ops, authenticate: [apiKeys()] })

let running: Running<typeof ops>
let url = ""
beforeAll(async () => {
  running = await startApp(app, { environment })
  url = (await running.listen({ port: 0 })).url
})
afterAll(async () => {
  await running.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A running application looks at its keys once a second. */
async function makeKey(name: string, roles: string[] = []): ReturnType<typeof keys.create> {
  const made = await keys.create({ name, roles, permissions: [], expiresInMs: null })
  const headers = { "content-type": "application/json", authorization: `Bearer ${made.key}` }
  const isKnown = async (): Promise<boolean> => (await fetch(`${url}/orders`, { method: "POST", headers, body: "{}" })).status !== 401
  await vi.waitUntil(isKnown, { timeout: 10_000, interval: 50 })
  return made
}
function post(path: string, key: string, credential: string | null, item = "tea"): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json", "idempotency-key": key }
  if (credential) headers.authorization = `Bearer ${credential}`
  return fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify({ item }) })
}
const stored = (): string =>
  readdirSync(folder)
    .filter((name) => name.startsWith("store"))
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("")

describe("keys of other callers", () => {
  test("the key of another principal → one's own effect, never the other's answer", async () => {
    const [ada, eve] = [await makeKey("ada-1"), await makeKey("eve-1")]
    const hers = await (await post("/orders", "invoice-1", ada.key)).json()
    const mine = await post("/orders", "invoice-1", eve.key)
    expect(mine.headers.get("idempotent-replayed")).toBeNull()
    expect(await mine.json()).toMatchObject({ note: "tea for the eyes of key:eve-1 only" })
    expect(hers).toMatchObject({ note: "tea for the eyes of key:ada-1 only" })
  })

  test("whether somebody else has used a key → cannot be told: another input under it is no KEY_REUSED", async () => {
    const [ada, eve] = [await makeKey("ada-2"), await makeKey("eve-2")]
    await post("/orders", "invoice-2", ada.key)
    expect((await post("/orders", "invoice-2", eve.key, "coffee")).status).toBe(201)
  })

  test("a thousand guesses → not one replay", async () => {
    const [ada, eve] = [await makeKey("ada-3"), await makeKey("eve-3")]
    for (let n = 0; n < 20; n++) await post("/orders", `${n}`, ada.key)
    for (let from = 0; from < 1_000; from += 50) {
      const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => post("/orders", `${from + n}`, eve.key)))
      expect(replies.filter(({ headers }) => headers.has("idempotent-replayed"))).toEqual([])
      for (const reply of replies) expect(await reply.json()).toMatchObject({ note: "tea for the eyes of key:eve-3 only" })
    }
  }, 60_000)

  test("the id of a claim as a key → means nothing", async () => {
    const ada = await makeKey("ada-4")
    await post("/orders", "invoice-4", ada.key)
    const database = new DatabaseSync(join(folder, "store.db"), { readOnly: true })
    const ids = database.prepare("select id, holder from trestle_claims").all() as { id: string; holder: string }[]
    database.close()
    const before = effects
    for (const { id, holder } of ids.slice(0, 5)) {
      await post("/orders", id, ada.key)
      await post("/orders", holder, ada.key)
    }
    expect(effects).toBeGreaterThan(before)
  })

  test("keys with what means something in SQL, JSON, a path or a header → taken as they are, each its own", async () => {
    const ada = await makeKey("ada-5")
    const evil = [`' or '1'='1`, `"; drop table trestle_claims; --`, "../../store", "%00", "$(reboot)", "__proto__", `k","x`, "a/0"]
    const before = effects
    for (const key of evil) expect((await post("/orders", JSON.stringify(key), ada.key)).status, key).toBe(201)
    for (const key of evil) {
      const again = await post("/orders", JSON.stringify(key), ada.key)
      expect([again.status, again.headers.get("idempotent-replayed")], key).toEqual([201, "true"])
    }
    expect(effects - before).toBe(evil.length)
    expect(stored()).not.toContain("drop table")
  })
})

describe("rules and credentials", () => {
  test("may not any more → FORBIDDEN, not the answer of then", async () => {
    const guard = await makeKey("guard-1", ["guard"])
    expect((await post("/guarded", "k", guard.key)).status).toBe(201)
    const as = (roles: string[]) => running.as({ id: "key:guard-1", kind: "key", roles, credential: guard.record.id })
    expect(await as(["guard"]).guarded.safe({ item: "tea" }, { idempotencyKey: "k" })).toMatchObject({ ok: true })
    expect(await as([]).guarded.safe({ item: "tea" }, { idempotencyKey: "k" })).toMatchObject({ code: "FORBIDDEN" })
  })

  test("no credential, or a wrong one → 401 before the key is looked at", async () => {
    const ada = await makeKey("ada-6")
    await post("/orders", "k", ada.key)
    const before = stored().length
    expect((await post("/orders", "k", null)).status).toBe(401)
    expect((await post("/orders", "k", `${ada.key}x`)).status).toBe(401)
    expect(stored().length).toBe(before)
  })

  test("the credential is revoked → its answers go, by themselves; one made anew under its name hears only that it was done", async () => {
    const ada = await makeKey("ada-7")
    await post("/orders", "invoice-7", ada.key)
    const answers = (): unknown => {
      const database = new DatabaseSync(join(folder, "store.db"), { readOnly: true })
      try {
        return database.prepare("select count(*) as n from trestle_claims where answer like '%key:ada-7 only%'").get()!.n
      } finally {
        database.close()
      }
    }
    expect(answers()).toBe(1)
    await keys.revoke("ada-7")
    await vi.waitFor(() => expect(answers()).toBe(0), { timeout: 5_000 })
    const again = await makeKey("ada-7")
    const before = effects
    await vi.waitFor(async () => expect((await post("/orders", "other", again.key)).status).toBe(201), { timeout: 5_000 })
    const reply = await post("/orders", "invoice-7", again.key)
    expect([reply.status, effects - before]).toEqual([409, 1])
    expect(await reply.json()).toMatchObject({ code: "CONFLICT", outcome: "answered" })
  }, 20_000)

  test("everything kept for a principal is forgotten → so are its answers under keys", async () => {
    const who = { id: "lena", kind: "user" } as const
    await running.as(who).order({ item: "tea" }, { idempotencyKey: "k" })
    running.forget("lena")
    await vi.waitFor(async () =>
      expect(await running.as(who).order.safe({ item: "tea" }, { idempotencyKey: "k" })).toMatchObject({ code: "CONFLICT" }),
    )
  })
})

describe("callers without credentials", () => {
  test("somebody else shows the same key → the answer without its secret, which is not stored either", async () => {
    const first = (await (await post("/sign-up", "form-1", null)).json()) as { id: number; token: string }
    expect(first.token).toContain("s3cret")
    const again = await post("/sign-up", "form-1", null)
    expect(await again.json()).toEqual({ id: first.id })
    expect(stored()).not.toContain(first.token)
  })

  test("a caller whom we know shows it → its own effect", async () => {
    const ada = await makeKey("ada-8")
    const first = (await (await post("/sign-up", "form-2", null)).json()) as { id: number }
    const hers = (await (await post("/sign-up", "form-2", ada.key)).json()) as { id: number }
    expect(hers.id).not.toBe(first.id)
  })
})

test("what is stored → neither the key, nor the name of its caller, in any column but the sealed answer", async () => {
  const ada = await makeKey("ada-secret-name")
  await post("/orders", "key-of-ada-in-plain", ada.key)
  const database = new DatabaseSync(join(folder, "store.db"), { readOnly: true })
  const rows = database.prepare("select id, who, credential, fingerprint, state, holder from trestle_claims").all()
  database.close()
  expect(JSON.stringify(rows)).not.toMatch(/key-of-ada|ada-secret-name|tea/)
})
