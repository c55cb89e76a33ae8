/**
 * The store in a SQLite file, alone: jobs a second, and CPU time a unit. A job is three units: put it there, take it, be done with it.
 *
 *     node --conditions=trestle-source bench/w4/store.ts [seconds a round]
 *
 * Synchronous FULL: every unit is on the disk when it is acknowledged. What the disk itself takes for that is measured beside it.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { systemClock } from "../../src/base/clock.ts"
import { openSqlite } from "../../src/connectors/sqlite/open.ts"
import type { Store, StoreStatement, StoreTables, StoreValue } from "../../src/contract/store.ts"

const ROUND_MS = Number(process.argv[2] ?? 2) * 1_000
const PAYLOAD = JSON.stringify({ id: "42", text: "What is a closure?", at: "2026-11-22T10:00:00Z", tags: ["js", "closures"] })

const TABLES: StoreTables = {
  version: 1,
  statements: ({ serial }) => [
    `create table trestle_jobs (number ${serial}, kind text not null, due_at integer not null, attempts integer not null, fence integer not null,
      held_until integer, payload text not null)`,
    "create index trestle_jobs_due on trestle_jobs (due_at, number)",
  ],
}

const st = (text: string, ...values: StoreValue[]): StoreStatement => ({ text, values })
const PUT = `insert into trestle_jobs (kind, due_at, attempts, fence, payload) values (?, (select trestle_now()), 0, 0, ?) returning number`
const TAKE_ONE = `update trestle_jobs set held_until = (select trestle_now()) + ?, fence = fence + 1, attempts = attempts + 1
  where number = ? returning number, kind, attempts, fence, payload`
const TAKE = `update trestle_jobs set held_until = (select trestle_now()) + ?, fence = fence + 1, attempts = attempts + 1,
  due_at = (select trestle_now()) + ? where number in (select number from trestle_jobs where due_at <= (select trestle_now())
  order by due_at, number limit ?) returning number, kind, attempts, fence, payload`
const DONE = "delete from trestle_jobs where number = ? and fence = ?"

/** One job after the other, each step awaited. */
async function jobs(store: Store, until: number): Promise<number> {
  let done = 0
  while (performance.now() < until) {
    const [put] = (await store.unit([st(PUT, "score", PAYLOAD)]))!
    const [taken] = (await store.unit([st(TAKE_ONE, 30_000, put!.rows[0]!.number as number)]))!
    const { number, fence } = taken!.rows[0] as { number: number; fence: number }
    if ((await store.unit([{ text: DONE, values: [number, fence], expects: 1 }])) === null) throw new Error("lost")
    done++
  }
  return done
}

/** `callers` put jobs there; one relay takes them in batches and is done with each by a unit of its own. */
async function relayed(store: Store, until: number, callers: number): Promise<number> {
  let waiting = 0
  let done = 0
  const putting = Array.from({ length: callers }, async () => {
    while (performance.now() < until) {
      if (waiting > 4 * callers) await new Promise(setImmediate)
      else {
        waiting++
        await store.unit([st(PUT, "score", PAYLOAD)])
      }
    }
  })
  const finishing = new Set<Promise<void>>()
  let isOver = false
  const relay = async (): Promise<void> => {
    while (!isOver || waiting > 0) {
      const [taken] = (await store.unit([st(TAKE, 30_000, 30_000, 4 * callers)]))!
      for (const { number, fence } of taken!.rows as { number: number; fence: number }[]) {
        const finish = store.unit([{ text: DONE, values: [number, fence], expects: 1 }]).then((results) => {
          if (results === null) throw new Error("lost")
          waiting--
          done++
          finishing.delete(finish)
        })
        finishing.add(finish)
      }
    }
    await Promise.all(finishing)
  }
  const relaying = relay()
  await Promise.all(putting)
  isOver = true
  await relaying
  return done
}

async function round(name: string, work: (store: Store, until: number) => Promise<number>): Promise<void> {
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "bench-store-"))
  const session = await openSqlite(
    {
      name: "bench",
      file: join(folder, "bench.db"),
      durability: "full",
      busyTimeout: "2s",
      rowsMax: 10_000,
      migrations: undefined,
      migratesOnStart: false,
    },
    {
      references: { read: (value: unknown) => value as string } as any,
      clock: systemClock,
      concurrency: 1,
      openTransport: null,
      isEphemeral: false,
    },
  )
  const store = await session.openStore([TABLES])
  await work(store, performance.now() + 300)
  const cpu = process.cpuUsage()
  const started = performance.now()
  const loop = performance.eventLoopUtilization()
  const done = await work(store, started + ROUND_MS)
  const ms = performance.now() - started
  const used = process.cpuUsage(cpu)
  const busy = performance.eventLoopUtilization(loop).utilization
  const micros = (used.user + used.system) / done
  console.log(
    `${name.padEnd(44)} ${((done / ms) * 1_000).toFixed(0).padStart(8)} jobs/s ${micros.toFixed(1).padStart(8)} CPU µs/job   loop ${(busy * 100).toFixed(0)} %`,
  )
  await session.close()
  rmSync(folder, { recursive: true })
}

function flushMicros(): number {
  const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "bench-store-"))
  const file = openSync(join(folder, "flush"), "w")
  const page = Buffer.alloc(4_096, 1)
  for (let n = 0; n < 256; n++) writeSync(file, page, 0, page.length, n * page.length)
  fdatasyncSync(file)
  const started = performance.now()
  for (let n = 0; n < 200; n++) {
    writeSync(file, page, 0, page.length, n * page.length)
    fdatasyncSync(file)
  }
  const micros = ((performance.now() - started) / 200) * 1_000
  closeSync(file)
  rmSync(folder, { recursive: true })
  return micros
}

const many = (count: number) => async (store: Store, until: number) =>
  (await Promise.all(Array.from({ length: count }, () => jobs(store, until)))).reduce((sum, one) => sum + one, 0)

console.log(`one flush of 4 KiB: ${flushMicros().toFixed(0)} µs; load ${(await import("node:os")).loadavg()[0]!.toFixed(1)}`)
await round("1 caller, each unit a transaction", many(1))
await round("16 callers, each step awaited", many(16))
await round("100 callers, each step awaited", many(100))
await round("16 callers, one relay takes batches", (store, until) => relayed(store, until, 16))
await round("100 callers, one relay takes batches", (store, until) => relayed(store, until, 100))
