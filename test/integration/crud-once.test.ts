// The writes of a resource as steps of work that is run again: each has its effect once.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { DurableParts } from "../../src/assembly/durable.ts"
import { startApp } from "../../src/assembly/start.ts"
import { code, crud, nothing, op, postgres, type Sql, secret, signedIn, sqlite, topic, trestle } from "../../src/index.ts"
import { FakeClock } from "../../src/testing/index.ts"
import { rememberingLog, standInReferences, testEnvironment } from "../../src/testing/stand-ins.ts"
import { findPostgres, newDatabase } from "../servers/postgres.ts"

const server = await findPostgres()
const Task = z.object({ id: z.string(), title: z.string(), version: z.number().int() })
const NewTask = z.object({ title: z.string() })
const wanted = topic("task.wanted", NewTask)
const table = {
  outbox: true,
  migrations: [
    { name: "0001-tasks", sql: "create table tasks (id text primary key, title text not null, version integer not null default 1)" },
  ],
  migrate: "on start",
} as const

function appOf(db: Sql) {
  const made: string[] = []
  const told: unknown[] = []
  let breaks = 2
  const tasks = crud({
    http: "/tasks",
    table: db.table("tasks", Task),
    id: "id",
    create: NewTask,
    update: NewTask.partial(),
    allow: { read: signedIn(), write: signedIn() },
    anyObject: "tasks are everybody's",
    version: "version",
  })
  /** Adds a task and changes it, and then breaks: what it has written is there when it is run again. */
  const take = op({ on: wanted, effect: "write", repeat: "natural", delivery: { backoff: "1ms" }, input: NewTask, output: nothing }).via(
    code(async ({ title }, ctx) => {
      const { id } = await ctx.run(tasks.create, { title })
      made.push(id)
      told.push(await ctx.run(tasks.update, { id, title: `${title}!` }))
      await ctx.run(tasks.remove, { id: (await ctx.run(tasks.create, { title: "soon gone" })).id })
      if (breaks-- > 0) throw new TypeError("broken")
    }),
  )
  return { app: trestle({ name: "tasks", ops: { tasks, take }, store: db }), tasks, made, told }
}

const started = async (app: Parameters<typeof startApp>[0], url: string, clock: FakeClock) => {
  let durable!: DurableParts
  const running = await startApp(app, {
    clock,
    environment: testEnvironment,
    references: standInReferences({ TASKS_DB: url }),
    keptFolder: null,
    isEphemeral: url === "",
    log: rememberingLog([]),
    durable: { isByHand: true, opened: (parts) => (durable = parts) },
  })
  return { running: running as any, durable }
}

const DATABASES = [
  { name: "SQLite", open: async () => ({ db: sqlite({ file: "tasks.db", ...table }), url: "", drop: async () => {} }), isHere: true },
  {
    name: "PostgreSQL",
    open: async () => ({ db: postgres({ url: secret("TASKS_DB"), ...table }), ...(await newDatabase(server!)) }),
    isHere: server !== null,
  },
]

describe.each(DATABASES)("writes of a resource on $name", ({ open, isHere }) => {
  test.skipIf(!isHere)("a consumer is run again after its steps have written → each has its effect once, and answers as then", async () => {
    const { db, url, drop } = await open()
    const { app, made, told } = appOf(db)
    const clock = new FakeClock()
    const { running, durable } = await started(app, url, clock)
    await running.publish(wanted, { title: "read" })
    const ended = async (): Promise<boolean> => {
      await durable.work()
      await clock.advance("1m")
      for await (const _ of durable.desk.all()) return false
      return true
    }
    await expect.poll(ended).toBe(true)
    const { items } = await running.internal().tasks.list({})
    expect(items).toEqual([{ id: made[0], title: "read!", version: 2 }])
    expect([new Set(made).size, made.length]).toEqual([1, 3])
    expect(told).toEqual(Array.from({ length: 3 }, () => items[0]))
    await running.close()
    await drop()
  })
})
