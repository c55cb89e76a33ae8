// `trestle({ store })`: a database of the application's own, shared by several nodes.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import type { App, Running } from "../../src/assembly/definition.ts"
import { openOutboxOf } from "../../src/assembly/outboxes-of.ts"
import { startApp } from "../../src/assembly/start.ts"
import { openStoreOf } from "../../src/assembly/store-of.ts"
import { code, nothing, op, postgres, secret, sql, sqlite, topic, trestle } from "../../src/index.ts"
import { rememberingLog, standInReferences, testEnvironment } from "../../src/testing/stand-ins.ts"
import { environmentIn } from "../durable/kit.ts"
import { findPostgres, newDatabase } from "../servers/postgres.ts"

const server = await findPostgres()
const Load = z.object({ n: z.number().int(), key: z.string() })
const loads = topic("load", Load, { key: ({ key }) => key })

describe.skipIf(server === null)("two nodes on one PostgreSQL", () => {
  test("messages → each is run once, by one of them, in the order of its key", async () => {
    const { url, drop } = await newDatabase(server!)
    const heard: { node: string; n: number; key: string }[] = []
    const start = (node: string) => {
      const consume = op({ on: loads, effect: "write", repeat: "natural", input: Load, output: nothing }).via(
        code(({ n, key }) => void heard.push({ node, n, key })),
      )
      const app = trestle({ name: "nodes", ops: { consume }, store: postgres({ url: secret("STORE_URL"), name: "store" }) })
      return startApp(app, {
        log: rememberingLog([]),
        environment: testEnvironment,
        references: standInReferences({ STORE_URL: url }),
        keptFolder: null,
      })
    }
    const nodes = await Promise.all([start("a"), start("b")])
    await Promise.all(Array.from({ length: 300 }, (_, n) => nodes[n % 2]!.publish(loads, { n, key: `k${n}` })))
    for (let n = 300; n < 340; n++) await nodes[0]!.publish(loads, { n, key: "one" })
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(340)
    expect(new Set(heard.map(({ n }) => n)).size).toBe(340)
    const ordered = heard.filter(({ key }) => key === "one").map(({ n }) => n)
    expect(ordered).toEqual(ordered.toSorted((one, other) => one - other))
    for (const node of nodes) await node.close()
    await drop()
  })
})

describe("a store that is given", () => {
  const given = () => {
    const consume = op({ on: loads, effect: "write", repeat: "natural", input: Load, output: nothing }).via(code(() => undefined))
    return trestle({ name: "given", ops: { consume }, store: sqlite({ file: "notes.db", name: "notes" }) })
  }
  const overrides = {
    log: rememberingLog([]),
    environment: testEnvironment,
    references: standInReferences(),
    keptFolder: null,
    isEphemeral: true,
  }

  test("a database that cannot hold Trestle's tables → the start is refused with TRS1049", async () => {
    const openService = () => ({ close: async () => {} })
    await expect(startApp(given(), { ...overrides, openService })).rejects.toMatchObject({
      code: "START_REFUSED",
      findings: [{ code: "TRS1049", message: expect.stringContaining("notes (sqlite)") }],
    })
  })

  test("its file is removed while it runs → the application is not ready", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-store-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const consume = op({ on: loads, effect: "write", repeat: "natural", input: Load, output: nothing }).via(code(() => undefined))
    const running = await startApp(trestle({ name: "own", ops: { consume } }), {
      ...overrides,
      isEphemeral: false,
      environment: environmentIn(folder),
    })
    const ready = async (): Promise<number> => (await running.fetch(new Request("http://app.test/health/ready"))).status
    expect(await ready()).toBe(200)
    rmSync(join(folder, "store.db"))
    expect(await ready()).toBe(503)
    await running.close()
  })

  test("a data folder that cannot be made → the start is refused, and says which", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-store-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, "file"), "")
    const consume = op({ on: loads, effect: "write", repeat: "natural", input: Load, output: nothing }).via(code(() => undefined))
    const starting = startApp(trestle({ name: "own", ops: { consume } }), {
      ...overrides,
      isEphemeral: false,
      environment: environmentIn(join(folder, "file", "data")),
    })
    await expect(starting).rejects.toMatchObject({
      code: "START_REFUSED",
      findings: [{ code: "TRS1014", message: expect.stringContaining(join("file", "data")), fix: expect.stringContaining("TRESTLE_DATA") }],
    })
  })

  describe("two applications", () => {
    const consume = op({ on: loads, effect: "write", repeat: "natural", input: Load, output: nothing }).via(code(() => undefined))
    const database = (): { folder: string; file: string; run: (text: string) => void } => {
      const folder = mkdtempSync(join(tmpdir(), "trestle-store-"))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const file = join(folder, "db.db")
      const run = (text: string): void => {
        const db = new DatabaseSync(file)
        db.exec(text)
        db.close()
      }
      return { folder, file, run }
    }
    const start = (app: App<unknown>, folder: string): Promise<Running<unknown>> =>
      startApp(app, { ...overrides, isEphemeral: false, environment: environmentIn(folder) })
    const refusal = {
      code: "START_REFUSED",
      findings: [{ code: "TRS1068", message: expect.stringContaining('"alpha", and this one is "beta"') }],
    }

    test("on one store → the second is refused, until it is said that it is the first under a new name", async () => {
      const { folder, file, run } = database()
      const app = (name: string) => trestle({ name, ops: { consume }, store: sqlite({ file, name: "notes" }) })
      await (await start(app("alpha"), folder)).close()
      await expect(start(app("beta"), folder)).rejects.toMatchObject(refusal)
      await expect(openStoreOf(app("beta"), environmentIn(folder))).rejects.toMatchObject(refusal)
      await (await start(app("alpha"), folder)).close()
      run("update trestle_owner set name = 'beta'")
      await (await start(app("beta"), folder)).close()
      await expect(start(app("alpha"), folder)).rejects.toMatchObject({ code: "START_REFUSED" })
    })

    test("in one data folder → the second is refused", async () => {
      const { folder } = database()
      await (await start(trestle({ name: "alpha", ops: { consume } }), folder)).close()
      await expect(start(trestle({ name: "beta", ops: { consume } }), folder)).rejects.toMatchObject(refusal)
    })

    test("on one service's outbox → the second is refused, though its store is another", async () => {
      const { folder, file } = database()
      const app = (name: string) => {
        const db = sqlite({ file, name: "notes", outbox: true })
        const one = op({ effect: "read", input: z.object({}), output: z.object({ n: z.number() }) }).via(db.one(() => sql`select 1 as n`))
        return trestle({ name, ops: { consume, one } })
      }
      await (await start(app("alpha"), join(folder, "alpha"))).close()
      await expect(start(app("beta"), join(folder, "beta"))).rejects.toMatchObject(refusal)
      await expect(openOutboxOf(app("beta"), "notes", environmentIn(folder))).rejects.toMatchObject(refusal)
    })
  })

  test("while it does not answer → the application is not ready", async () => {
    let isDown = false
    const running = await startApp(given(), {
      ...overrides,
      openService: async (service, host) => {
        const connection = await service.open(host)
        const { openStore } = connection as unknown as { openStore(tables: unknown): Promise<{ read(one: unknown): Promise<unknown> }> }
        return Object.assign(connection, {
          openStore: async (tables: unknown) => {
            const store = await openStore.call(connection, tables)
            const read = store.read.bind(store)
            store.read = (one) => (isDown ? Promise.reject(new TypeError("down")) : read(one))
            return store
          },
        })
      },
    })
    const ready = async (): Promise<[number, unknown]> => {
      const response = await running.fetch(new Request("http://app.test/health/ready"))
      return [response.status, ((await response.json()) as { services: { store: string } }).services.store]
    }
    expect(await ready()).toEqual([200, "up"])
    isDown = true
    expect(await ready()).toEqual([503, "down"])
    await running.close()
  })
})
