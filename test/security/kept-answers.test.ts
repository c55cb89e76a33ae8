import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { seededRandom } from "../../src/base/random.ts"
import {
  apiKeys,
  cache,
  code,
  fallback,
  lastGood,
  op,
  openKeyStore,
  type Principal,
  type Running,
  signedIn,
  trestle,
} from "../../src/index.ts"

const READS = 1_000
const IDS = ["1", "2", "3", "4", "5"]

/** A real service: it answers with whoever it is asked for, and with a text that nobody else may ever see. */
class People {
  isDown = false
  asked = 0
  readonly #server: Server = createServer((request, response) => {
    this.asked++
    if (this.isDown) return void response.writeHead(503).end()
    const who = String(request.headers["x-caller"])
    response.writeHead(200, { "content-type": "application/json" })
    response.end(JSON.stringify({ who, id: request.url!.slice(1), note: noteOf(who) }))
  })

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

const noteOf = (who: string): string => `for the eyes of ${who} only`

describe("two principals through cache and last good answer", () => {
  const people = new People()
  const folder = mkdtempSync(join(tmpdir(), "trestle-kept-"))
  const keys = openKeyStore({ folder })
  const environment = {
    name: "test",
    folder,
    sources: [],
    findings: [],
    get: (name: string) => ({ TRESTLE_DATA: { value: folder }, TRESTLE_LOG: { value: "silent" } })[name],
    names: () => [],
  } as never
  const Mine = z.object({ who: z.string(), id: z.string(), note: z.string() })
  const mine = op({
    http: "GET /mine/{id}",
    input: z.object({ id: z.string() }),
    output: Mine,
    allow: signedIn(),
    anyObject: "each sees its own",
  }).via(
    fallback(
      cache(
        { for: "5ms", stale: "5ms" },
        code(async ({ id }, { user, signal }) => {
          const reply = await fetch(`${people.url}/${id}`, { headers: { "x-caller": user!.id }, signal })
          // Throws when the service is down, and so lets the last good answer have its turn.
          return Mine.parse(await reply.json())
        }),
      ),
      lastGood({ for: "1h" }),
    ),
  )
  const app = trestle({ name: "kept", ops: { mine }, authenticate: [apiKeys()], permissions: {} })
  let running: Running<typeof app.ops>
  let url = ""
  const start = async (): Promise<void> => {
    running = await startApp(app, { environment })
    url = (await running.listen({ port: 0 })).url
  }
  const read = (key: string, id: string): Promise<Response> => fetch(`${url}/mine/${id}`, { headers: { authorization: `Bearer ${key}` } })
  const fileText = (): string =>
    readdirSync(folder)
      .filter((name) => name.startsWith("last-good"))
      .map((name) => readFileSync(join(folder, name), "latin1"))
      .join("")

  beforeAll(async () => {
    await people.open()
    await start()
  })
  afterAll(async () => {
    await running.close()
    people.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const makeKey = (name: string) => keys.create({ name, roles: [], permissions: [], expiresInMs: null })

  test(`${READS} interleaved reads, with outages and a restart in the middle → no crossing; a revoked key loses its entries`, async () => {
    const made = { ada: await makeKey("ada"), bob: await makeKey("bob") }
    const random = seededRandom(20_261)
    const served: Record<string, number> = {}
    const readOnce = async (): Promise<void> => {
      const name = random.next() < 0.5 ? "ada" : "bob"
      const reply = await read(made[name].key, IDS[Math.floor(random.next() * IDS.length)]!)
      const { degraded } = JSON.parse(reply.headers.get("trestle-meta") ?? '{"degraded":"failed"}')
      served[`${degraded}`] = (served[`${degraded}`] ?? 0) + 1
      if (reply.status !== 200) return expect([reply.status, people.isDown]).toEqual([500, true])
      expect(await reply.json()).toMatchObject({ who: `key:${name}`, note: noteOf(`key:${name}`) })
    }
    // Twenty at once, so that equal calls meet in one flight.
    for (let done = 0; done < READS; done += 20) {
      if (done === READS / 2) {
        await running.close()
        await start()
      }
      people.isDown = (done / 20) % 5 === 4 || done === READS / 2
      await Promise.all(Array.from({ length: 20 }, readOnce))
    }
    // Every way was gone: new and kept answers, degraded ones, and far fewer questions than reads.
    expect(served.false).toBeGreaterThan(100)
    expect(served.true).toBeGreaterThan(50)
    expect(people.asked).toBeLessThan(READS)
    for (const result of ["hit", "miss", "coalesced"])
      expect(await running.metrics()).toMatch(new RegExp(`trestle_cache_total\\{operation="mine",result="${result}"\\} \\d`))

    people.isDown = false
    for (const id of IDS) for (const { key } of [made.ada, made.bob]) expect((await read(key, id)).status).toBe(200)
    people.isDown = true
    await vi.waitFor(() => expect(fileText()).toContain(noteOf("key:ada")), { timeout: 5_000 })
    const ada: Principal = { id: "key:ada", kind: "key", credential: made.ada.record.id, roles: [], permissions: [] }
    const bob: Principal = { ...ada, id: "key:bob", credential: made.bob.record.id }
    expect(await running.as(ada).mine({ id: "1" })).toMatchObject({ who: "key:ada" })

    await keys.revoke("ada")
    // The time in which the key itself dies, and no request is needed for it.
    await vi.waitFor(() => expect(fileText()).not.toContain(noteOf("key:ada")), { timeout: 5_000 })
    for (const id of IDS) {
      expect(await running.as(ada).mine.safe({ id })).toMatchObject({ ok: false })
      expect(await running.as(bob).mine({ id })).toMatchObject({ who: "key:bob" })
      expect((await read(made.ada.key, id)).status).toBe(401)
      expect((await read(made.bob.key, id)).status).toBe(200)
    }
    expect(fileText()).toContain(noteOf("key:bob"))

    const again = await makeKey("ada")
    await vi.waitFor(async () => expect((await read(again.key, "1")).status).toBe(500), { timeout: 5_000 })
    await running.close()
    expect(fileText()).not.toContain(noteOf("key:ada"))
    await start()
    expect((await read(again.key, "1")).status).toBe(500)
    expect((await read(made.bob.key, "1")).status).toBe(200)
  }, 60_000)

  test("a key revoked while the application is down → its entries are gone when it is up", async () => {
    people.isDown = false
    const { key } = await makeKey("cy")
    await vi.waitFor(async () => expect((await read(key, "1")).status).toBe(200), { timeout: 5_000 })
    await running.close()
    expect(fileText()).toContain(noteOf("key:cy"))
    await keys.revoke("cy")
    await start()
    expect(fileText()).not.toContain(noteOf("key:cy"))
  }, 30_000)
})
