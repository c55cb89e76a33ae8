import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test, vi } from "vitest"
import { z } from "zod"
import { anyone, code, env, fallback, op, placeholder, postgres, rest, secret, sql, trestle } from "../index.ts"
import { faultCases } from "./fault-cases.ts"

const policy = { timeout: "500ms", retry: 0 } as const
const crm = rest({ url: env("CRM_URL"), name: "crm", policy })
const replica = rest({ url: env("CRM_REPLICA_URL"), name: "replica", replicaOf: crm, policy })
const Person = z.object({ id: z.string(), name: z.string() })
const Id = z.object({ id: z.string() })
const show = op({ http: "GET /people/{id}", input: Id, output: Person, allow: anyone("test"), anyObject: "test" }).via(
  fallback(crm.call("GET /people/{id}"), replica.call("GET /people/{id}")),
)
const waiting = op({ effect: "read", input: Id, output: Person }).via(placeholder({ id: "1", name: "x" }, "waiting"))
const create = op({ effect: "write", input: Id, output: Person }).via(crm.call("POST /people"))
const careless = op({ effect: "write", input: Id, output: Person }).via(
  code((i, ctx) => ctx.run(create, i).catch(() => ctx.run(create, i))),
)
const opaque = op({ effect: "read", input: Id, output: Person }).via(
  crm.call("GET /odd/{id}", { map: (r) => ({ id: r.a.b, name: r.a.c }) }),
)

const cases = faultCases(trestle({ name: "people", ops: { show, waiting, create, careless, opaque } }))
const run = (path: string): Promise<void> => cases.find(({ name }) => name.startsWith(`${path}:`))!.run()

test("one case an operation", () => {
  expect(cases.map(({ name }) => name)).toEqual(
    ["show", "waiting", "create", "careless", "opaque"].map(
      (path) => `${path}: whatever its services do, fallbacks answer, no write is doubled, failed flows are undone`,
    ),
  )
})

test.each(["show", "waiting", "create"])("%s: its promises hold → resolves", { timeout: 60_000 }, async (path) => {
  await expect(run(path)).resolves.toBeUndefined()
})

test("a write that is sent again → rejects with what and how to mend it", { timeout: 60_000 }, async () => {
  await expect(run("careless")).rejects.toThrow(
    /when crm resets the connection, POST \/people may have its effect 2 times at crm\. After an unknown/,
  )
})

test("an answer that nobody knows → rejects, and says what to declare", { timeout: 60_000 }, async () => {
  await expect(run("opaque")).rejects.toThrow(/what its services answer when all is well is not known .* give the call a response schema/)
})

test("PostgreSQL, and no server to try it on → rejects, and says how to name one", async () => {
  vi.stubEnv("TRESTLE_FAULTS_POSTGRES", "")
  onTestFinished(() => void vi.unstubAllEnvs())
  const db = postgres({ url: secret("NOTES_DB_URL"), name: "notes" })
  const count = op({ effect: "read", input: Id, output: Person }).via(db.one(() => sql`select '1' as id, 'x' as name`))
  const [only] = faultCases(trestle({ name: "notes", ops: { count } }))
  await expect(only!.run()).rejects.toThrow(/^notes is not tried: .* it is not set\. .*TRESTLE_FAULTS_POSTGRES=postgres:/)
})

test("a limit that is none → refused at once", () => {
  expect(() => faultCases(trestle({ name: "none", ops: {} }), { limit: "soon" as never })).toThrow('"soon" is not a duration')
})

test("when it has ended → the process ends by itself", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "trestle-fault-cases-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, "run.ts")
  const source = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)
  writeFileSync(
    file,
    `import { env, nothing, op, rest, sql, sqlite, trestle } from ${source("../index.ts")}
import { tryFaults } from ${source("./fault-lab.ts")}
const policy = { timeout: "300ms", retry: 0 } as const
const crm = rest({ url: env("CRM_URL"), name: "crm", policy })
const db = sqlite({ file: env("DB"), policy, busyTimeout: "200ms", migrations: [{ name: "0001-t", sql: "create table t (a text)" }], migrate: "on start" })
const ask = op({ effect: "read", input: nothing, output: nothing }).via(crm.call("GET /it"))
const keep = op({ effect: "write", input: nothing, output: nothing }).via(db.run(() => sql\`insert into t (a) values (\${"x"})\`))
const { rows } = await tryFaults(trestle({ name: "ends", ops: { ask, keep } }))
console.log(rows.length, rows.filter(({ result }) => result === "held").length)
`,
  )
  const ran = spawnSync(process.execPath, ["--conditions=trestle-source", file], {
    encoding: "utf8",
    timeout: 30_000,
    env: { TMPDIR: folder },
  })
  expect([ran.status, ran.signal, ran.stdout.trim(), ran.stderr]).toEqual([0, null, "16 16", ""])
})
