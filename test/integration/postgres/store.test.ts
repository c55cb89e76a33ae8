// The store in PostgreSQL when its network or its server fails. What every store promises is in test/conformance.

import { setImmediate as nextRound } from "node:timers/promises"
import { describe, expect, onTestFinished, test } from "vitest"
import { systemClock } from "../../../src/base/clock.ts"
import type { PostgresSession } from "../../../src/connectors/postgres/connection.ts"
import { openPostgres } from "../../../src/connectors/postgres/open.ts"
import type { Store } from "../../../src/contract/store.ts"
import { secret } from "../../../src/index.ts"
import { FaultProxy } from "../../../src/testing/fault-proxy.ts"
import { standInReferences } from "../../../src/testing/stand-ins.ts"
import { insert, ROWS, remove } from "../../conformance/store-promises-rows.ts"
import { kept, keysIn, put, statement, THINGS } from "../../conformance/store-subject.ts"
import { newSchema, otherClient, server, tell } from "./kit.ts"

async function opened(url: string, tables = THINGS): Promise<Store> {
  const settings = {
    name: "notes",
    at: null,
    url: secret("NOTES_DB"),
    pool: 2,
    rowsMax: 100,
    migrations: undefined,
    migratesOnStart: false,
  }
  const references = standInReferences({ NOTES_DB: url })
  const host = { references, clock: systemClock, concurrency: 2, openTransport: null, isEphemeral: false }
  const session = (await openPostgres(settings, host)) as PostgresSession
  onTestFinished(() => session.close())
  return session.openStore([tables])
}

async function behindProxy(): Promise<{ proxy: FaultProxy; store: Store; address: string }> {
  const address = await newSchema()
  const url = new URL(address)
  const proxy = await FaultProxy.open({ host: url.hostname, port: Number(url.port) })
  onTestFinished(() => proxy.close())
  url.host = `${proxy.place.host}:${proxy.place.port}`
  return { proxy, store: await opened(url.href), address }
}

const outcomeOf = (unit: Promise<unknown>): Promise<string> =>
  unit.then(
    () => "kept",
    (error) => `${error.outcome}, ${error.reason}`,
  )

describe.skipIf(server === null)("the store in PostgreSQL", () => {
  test("the answer to a unit with its COMMIT is lost: unknown, sent once, and the next one works", async () => {
    const { proxy, store } = await behindProxy()
    await kept(store.unit([put("warm")]))
    proxy.mode = "drop"
    expect(await outcomeOf(store.unit([put("perhaps")]))).toBe("unknown, connection-lost")
    expect(proxy.timesSent("perhaps")).toBe(1)
    proxy.mode = "pass"
    await kept(store.unit([put("next")]))
    expect((await keysIn(store)).sort()).toEqual(["next", "perhaps", "warm"])
  })

  test("the answer to what is expected is lost, before the COMMIT: refused, and nothing is there", async () => {
    const { proxy, store } = await behindProxy()
    await kept(store.unit([put("warm")]))
    proxy.mode = "drop"
    expect(await outcomeOf(store.unit([{ ...put("a"), expects: 1 }]))).toBe("refused, not-connected")
    proxy.mode = "pass"
    expect(await keysIn(store)).toEqual(["warm"])
  })

  test("no server: refused, and well when it is there again", async () => {
    const { proxy, store } = await behindProxy()
    await proxy.down()
    expect(await outcomeOf(store.unit([put("a")]))).toBe("refused, not-connected")
    await expect(keysIn(store)).rejects.toMatchObject({ outcome: "refused" })
    store.wake()
    await proxy.up()
    await kept(store.unit([put("b")]))
    expect(await keysIn(store)).toEqual(["b"])
  })

  test("whoever listens has lost the connection: hears of it when there is one again, and of later hints", async () => {
    const { proxy, store, address } = await behindProxy()
    const other = await opened(address)
    let heard = 0
    store.watch(() => heard++)
    await proxy.cut()
    while (heard === 0) await nextRound()
    const before = heard
    other.wake()
    while (heard === before) await nextRound()
  })

  test("one's own hint: wakes others only", async () => {
    const address = await newSchema()
    const [one, other] = [await opened(address), await opened(address)]
    let own = 0
    one.watch(() => own++)
    const heard = new Promise<void>((resolve) => other.watch(resolve))
    for (let n = 0; n < 50; n++) one.wake()
    await heard
    expect(own).toBe(0)
  })

  test("two units that lock the same rows in another order: both are kept", async () => {
    const store = await opened(await newSchema())
    await kept(store.unit([put("a", 0), put("b", 0)]))
    const add = (key: string) => statement("update trestle_things set n = n + 1 where key = ?", key)
    const units = Array.from({ length: 40 }, (_, n) => kept(store.unit(n % 2 === 0 ? [add("a"), add("b")] : [add("b"), add("a")])))
    await Promise.all(units)
    expect((await store.read(statement("select n from trestle_things"))).map(({ n }) => n)).toEqual([40, 40])
  })

  test("somebody changes a row for which a statement over many waits: that one changes nothing, the others do", async () => {
    const address = await newSchema()
    const store = await opened(address, ROWS)
    await kept(store.unit(["a", "b", "c"].map((id) => insert(id, 1))))
    const other = await otherClient(address)
    await other.query("begin; update trestle_rows set n = 2 where id = 'b'")
    const removed = kept(store.unit(["a", "b", "c"].map((id) => remove(id, 1))))
    const waiting = "select 1 from pg_locks where not granted and transactionid = pg_current_xact_id()::xid"
    while ((await other.query(waiting)).rowCount === 0) await nextRound()
    await other.query("commit")
    expect((await removed).map(({ changes }) => changes)).toEqual([1, 0, 1])
    expect(await store.read(statement("select id, n from trestle_rows"))).toEqual([{ id: "b", n: 2 }])
  })

  test("statements about rows, while the table is empty: are planned for good after a few, and over its index", async () => {
    const store = await opened(await newSchema(), ROWS)
    for (let n = 2; n < 14; n++) await kept(store.unit(Array.from({ length: n }, (_, i) => remove(`r${i}`, 0))))
    const plans = "select name, generic_plans, custom_plans from pg_prepared_statements where name like '%rows'"
    const [{ name, ...times }] = (await kept(store.unit([statement(plans)])))[0]!.rows as [Record<string, unknown>]
    expect(times).toEqual({ generic_plans: 7, custom_plans: 5 })
    const [explained] = await kept(store.unit([statement(`explain execute ${name}('{a}', '{1}')`)]))
    expect(JSON.stringify(explained!.rows)).toMatch(/Nested Loop.*Function Scan.*Index Scan using trestle_rows_id_key/)
  })

  test("a server that acknowledges before it is sure: is told to wait for the store", async () => {
    const address = await newSchema()
    const url = new URL(address)
    url.searchParams.set("options", `${url.searchParams.get("options")} -c synchronous_commit=off`)
    const store = await opened(url.href)
    const [result] = await kept(store.unit([statement("select current_setting('synchronous_commit') as it")]))
    expect(result!.rows).toEqual([{ it: "on" }])
  })

  test("its tables are changed by another node: what was prepared is prepared anew", async () => {
    const address = await newSchema()
    const store = await opened(address)
    await kept(store.unit([put("a", 1)]))
    const everything = statement("select * from trestle_things")
    const add = statement("update trestle_things set n = n + 1 returning *")
    await kept(store.unit([add]))
    await store.read(everything)
    await tell(address, "alter table trestle_things add column mark text")
    expect((await kept(store.unit([add])))[0]!.rows).toMatchObject([{ n: 3, mark: null }])
    expect(await store.read(everything)).toMatchObject([{ key: "a", n: 3, mark: null }])
  })

  test("its tables: in the schema of the service, and nowhere else", async () => {
    const address = await newSchema()
    await opened(address)
    const names = await tell(address, "select tablename from pg_tables where schemaname = current_schema() order by 1")
    expect(names.map(({ tablename }) => tablename)).toEqual(["trestle_tables", "trestle_things"])
  })
})
