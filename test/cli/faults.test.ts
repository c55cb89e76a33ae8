import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { type Row, rowsOf, tried } from "./faults-kit.ts"
import { finished, folder, json, startTrestle, trestle } from "./kit.ts"

/** What a REST service can do, and a SQLite file to a write. */
const REST_FAULTS = 12
const HARMLESS = ["refuses connections", "says 429", "rejects our credential"]

const HEAD = `import { anyone, bearer, cache, code, env, fallback, lastGood, nothing, op, placeholder, rest, secret, sql, sqlite, trestle, value } from "trestle"
import { z } from "zod"
const Person = z.object({ id: z.string(), name: z.string() })
const Id = z.object({ id: z.string() })
const Name = z.object({ name: z.string() })
const policy = { timeout: "600ms", retry: { times: 1, backoff: "10ms" } } as const
const crm = rest({ url: env("CRM_URL"), auth: bearer(secret("CRM_TOKEN")), name: "crm", policy })
const replica = rest({ url: env("CRM_REPLICA_URL"), name: "replica", replicaOf: crm, policy })
const mail = rest({ url: env("MAIL_URL"), name: "mail", policy })
`

/** Operations as text; the first is called `one`. */
const appWith = (operations: string, ops = "one"): string =>
  `${HEAD}${operations}\nexport const app = trestle({ name: "people", ops: { ${ops} } })\n`

const READ = 'effect: "read", input: Id, output: Person'
const WRITE = 'effect: "write", input: Name, output: Person'

describe("promises that hold: exit 0", () => {
  test("a read with a backup → answers whatever the first does, but for real answers; nothing is left behind", async () => {
    const app = appWith(`const one = op({ ${READ} }).via(fallback(crm.call("GET /people/{id}"), replica.call("GET /people/{id}")))`)
    const { ran, document, rows, row, left, made } = await rowsOf(app)
    expect([ran.code, ran.stderr, left, made]).toEqual([0, "", [], []])
    expect(document).toMatchObject({
      schema: "trestle.faults/1",
      ok: true,
      findings: [],
      summary: { app: "people", held: 2 * REST_FAULTS, broken: 0, untried: 0, withoutService: 0 },
    })
    expect(rows).toHaveLength(2 * REST_FAULTS)
    expect(row("hangs")).toMatchObject({ code: null, outcome: "ok", servedBy: "replica", isDegraded: true, attempts: 3 })
    expect(row("hangs").ms).toBeGreaterThan(1_190)
    expect(row("is slow")).toMatchObject({ servedBy: "crm", isDegraded: false, attempts: 1 })
    expect(row("rejects our credential")).toMatchObject({ code: "INTERNAL", outcome: "answered", attempts: 1 })
    expect(row("hangs", "replica")).toMatchObject({ code: "TIMEOUT", outcome: "refused", after: ["crm"], attempts: 4 })
    const degraded = rows.filter(({ service, isDegraded }) => service === "crm" && isDegraded).map(({ fault }) => fault)
    expect(degraded).toHaveLength(REST_FAULTS - 2)
  })

  test("a write with a replica → goes there only after what was refused, and is never sent twice", async () => {
    const app = appWith(`const one = op({ ${WRITE} }).via(fallback(crm.call("POST /people"), replica.call("POST /people")))`)
    const { ran, rows } = await rowsOf(app)
    expect(ran.code).toBe(0)
    for (const { fault, code, servedBy, effects } of rows.filter(({ service }) => service === "crm")) {
      const expected =
        fault === "refuses connections" || fault === "says 429"
          ? { code: null, servedBy: "replica", effects: 1 }
          : fault === "is slow"
            ? { code: null, servedBy: "crm", effects: 1 }
            : {
                code: fault === "rejects our credential" ? "INTERNAL" : "OUTCOME_UNKNOWN",
                servedBy: null,
                effects: HARMLESS.includes(fault!) ? 0 : 1,
              }
      expect({ fault, code, servedBy, effects }).toEqual({ fault, ...expected })
    }
  })

  test("a write under a key → is sent again, and counts as one effect", async () => {
    const app = appWith(`const one = op({ ${WRITE} }).via(crm.call("POST /people", { repeat: { key: "Idempotency-Key" } }))`)
    const { ran, row } = await rowsOf(app)
    expect(ran.code).toBe(0)
    expect(row("hangs")).toMatchObject({
      code: "OUTCOME_UNKNOWN",
      attempts: 2,
      effects: 1,
      why: "sent 2 times, as one effect: the service promises so",
    })
  })

  test("a service that says 503 for what it has not done → the replica answers", async () => {
    const app = appWith(`const careful = rest({ url: env("C_URL"), name: "careful", refuses: [503], policy })
const second = rest({ url: env("S_URL"), name: "second", replicaOf: careful, policy })
const one = op({ ${WRITE} }).via(fallback(careful.call("POST /people"), second.call("POST /people")))`)
    const { row } = await rowsOf(app)
    expect(row("says 503", "careful")).toMatchObject({ servedBy: "second", effects: 1 })
    expect(row("says 500", "careful")).toMatchObject({ code: "OUTCOME_UNKNOWN", effects: 1 })
  })

  test("what was kept → answers when it has grown old and its service fails", async () => {
    const app = appWith(
      `const one = op({ ${READ} }).via(fallback(cache({ for: "10m" }, crm.call("GET /people/{id}")), lastGood({ for: "1h" })))`,
    )
    const { ran, row } = await rowsOf(app)
    expect(ran.code).toBe(0)
    expect(row("says 500")).toMatchObject({ servedBy: "lastGood", isDegraded: true, attempts: 2 })
    expect(row("is slow")).toMatchObject({ servedBy: "crm", attempts: 1 })
  })

  test("a write that is deferred → answers for what is refused and for what is unknown; the store is thrown away", async () => {
    const app = appWith(
      `import { defer } from "trestle"
const db = sqlite({ file: env("DB"), outbox: true })
const one = op({ ${WRITE} }).via(fallback(crm.call("POST /people"), defer((i) => ({ id: "pending", name: i.name }))))
const two = op({ ${WRITE}, deadline: "400ms" }).via(fallback(crm.call("POST /people"), defer((i) => ({ id: "pending", name: i.name }))))
const three = op({ effect: "read", input: nothing, output: nothing }).via(db.run(() => sql\`select 1\`))`,
      "one, two, three",
    ).replace("ops:", "store: db, ops:")
    const { ran, codes, row, document, left, made } = await rowsOf(app)
    expect([ran.code, codes, left, made]).toEqual([1, ["TRS3021"], [], []])
    expect(row("refuses connections")).toMatchObject({ servedBy: "defer", effects: 0 })
    expect(row("resets the connection")).toMatchObject({ servedBy: "defer", effects: 1 })
    expect(document.findings[0].message).toBe(
      "two: when crm hangs, its fallback defer does not answer: the deadline of 400ms is over first",
    )
  })

  test("services that only code asks → are found, and fail too", async () => {
    const app = appWith(
      `const inner = op({ ${WRITE} }).via(crm.call("POST /people"))
const one = op({ ${WRITE} }).via(code(async (i, ctx) => { const made = await ctx.run(inner, i); await ctx.run(tell, made); return made }))
const tell = op({ effect: "write", input: Person, output: nothing }).via(mail.call("POST /mails", { map: () => undefined }))`,
      "one, inner, tell",
    )
    const { ran, rows, row } = await rowsOf(app, ["one"])
    expect(ran.code).toBe(0)
    expect([...new Set(rows.map(({ service }) => service))]).toEqual(["crm", "mail"])
    expect(row("says 500", "mail")).toMatchObject({ code: "OUTCOME_UNKNOWN", effects: 2 })
    expect(row("refuses connections", "mail")).toMatchObject({ code: "OUTCOME_UNKNOWN", effects: 1 })
  })

  test("a SQLite file → locked, gone, and with a rule that is broken", async () => {
    const app = appWith(
      `const db = sqlite({ file: env("NOTES_DB"), policy: { timeout: "4s", retry: 0 }, busyTimeout: "3s", migrate: "on start",
  migrations: [{ name: "0001-notes", sql: "create table notes (id text primary key, text text not null) strict" }] })
const one = op({ effect: "write", input: z.object({ id: z.string(), text: z.string() }), output: nothing, errors: { TAKEN: 409 } })
  .via(db.run((i) => sql\`insert into notes (id, text) values (\${i.id}, \${i.text})\`, { errors: { unique: "TAKEN" } }))
const two = op({ effect: "write", input: Id, output: nothing }).via(db.transaction(async (tx, i) => { await tx.run(sql\`delete from notes where id = \${i.id}\`) }))
const list = op({ effect: "read", input: nothing, output: z.array(z.object({ id: z.string() })) }).via(db.many(() => sql\`select id from notes\`))`,
      "one, two, list",
    )
    const { ran, rows, left } = await rowsOf(app)
    expect([ran.code, left]).toEqual([0, []])
    const seen = rows.map(({ operation, fault, code, outcome, effects }) => [operation, fault, code, outcome, effects].join(" "))
    expect(seen).toEqual([
      "one is locked UNAVAILABLE refused 0",
      "one is locked for a moment  ok 1",
      "one has lost its file UNAVAILABLE refused 0",
      "one refuses a duplicate TAKEN answered 0",
      "two is locked UNAVAILABLE refused 0",
      "two is locked for a moment  ok 1",
      "two has lost its file UNAVAILABLE refused 0",
      "two refuses a duplicate CONFLICT answered 0",
      "list has lost its file  ok 0",
    ])
  })
})

describe("a promise that is broken: exit 1, a finding per row with the fix", () => {
  test("a deadline that is over before the fallback's turn", async () => {
    const app = appWith(
      `const slow = { timeout: "2s", retry: 0 } as const
const one = op({ ${READ}, deadline: "300ms" }).via(fallback(crm.call("GET /people/{id}", { policy: slow }), value({ id: "0", name: "nobody" })))`,
    )
    const { ran, rows, document, codes, row } = await rowsOf(app)
    expect([ran.code, document.ok, codes]).toEqual([1, false, ["TRS3021", "TRS3021"]])
    expect(rows.filter(({ result }) => result === "broken").map(({ fault }) => fault)).toEqual(["is slow", "hangs"])
    expect(row("rejects our credential")).toMatchObject({ code: "INTERNAL", servedBy: null })
    expect(document.findings[1]).toMatchObject({
      severity: "error",
      message: "one: when crm hangs, its fallback value does not answer: the deadline of 300ms is over first",
      fix: 'Give it time, deadline: "4s", or be less patient with crm: policy: { timeout: "100ms", retry: 0 }',
      file: expect.stringMatching(/app\.ts$/),
    })
    const mended = await rowsOf(app.replace('timeout: "2s"', 'timeout: "100ms"'))
    expect(mended.ran.code).toBe(0)
  })

  test("the deadline of the operation outside → cuts off the fallback inside", async () => {
    const app = appWith(
      `const inner = op({ ${READ} }).via(fallback(crm.call("GET /people/{id}"), replica.call("GET /people/{id}")))
const one = op({ ${READ}, deadline: "1s" }).via(code((i, ctx) => ctx.run(inner, i)))`,
      "one, inner",
    )
    const { codes, document } = await rowsOf(app)
    expect(codes).toEqual(["TRS3021"])
    expect(document.findings[0].message).toBe(
      "one, in inner: when crm hangs, its fallback replica does not answer: the deadline of 1s is over first",
    )
  })

  test("code that sends a write again by hand", async () => {
    const app = appWith(
      `const inner = op({ ${WRITE} }).via(crm.call("POST /people"))
const one = op({ ${WRITE} }).via(code((i, ctx) => ctx.run(inner, i).catch(() => ctx.run(inner, i))))`,
      "one, inner",
    )
    const { ran, rows, codes, document, row } = await rowsOf(app)
    expect(ran.code).toBe(1)
    const broken = rows.filter(({ result }) => result === "broken")
    expect(broken.every(({ operation }) => operation === "one")).toBe(true)
    expect(broken.map(({ fault }) => fault)).toEqual([
      "resets the connection",
      "hangs",
      "says 500",
      "says 503",
      "answers another shape",
      "answers a web page",
      "truncates its answer",
      "leaves in mid-answer",
    ])
    expect(new Set(codes)).toEqual(new Set(["TRS3022"]))
    expect(row("resets the connection")).toMatchObject({ effects: 2 })
    expect(document.findings[0]).toMatchObject({
      message: "one: when crm resets the connection, POST /people may have its effect 2 times at crm",
      fix: expect.stringContaining('repeat: { key: "Idempotency-Key" }'),
    })
  })

  test("code that sends a write to the replica after an unknown outcome", async () => {
    const app = appWith(
      `const first = op({ ${WRITE} }).via(crm.call("POST /people"))
const second = op({ ${WRITE} }).via(replica.call("POST /people"))
const one = op({ ${WRITE} }).via(code((i, ctx) => ctx.run(first, i).catch(() => ctx.run(second, i))))`,
      "one, first, second",
    )
    const { rows, codes } = await rowsOf(app, ["one"])
    expect(codes[0]).toBe("TRS3022")
    expect(rows.find(({ fault }) => fault === "refuses connections")).toMatchObject({ result: "held", servedBy: "replica", effects: 1 })
  })

  test("a connector that repeats what it must not", async () => {
    const app = `import { backend, callerPlace } from "trestle/connector"
import { nothing, op, trestle } from "trestle"
import { z } from "zod"
import { failure } from "trestle/connector"
const arrivals = []
class Standing {
  isFailing = false
  get arrivals() { return arrivals }
  open() { return { close: async () => {}, ask: async (attempt) => {
    attempt.isSent = true
    arrivals.push({ asked: "put", effect: String(arrivals.length) })
    if (this.isFailing) throw failure("connection-lost", "write")
  } } }
  fail() { this.isFailing = true }
  async close() {}
}
const service = { kind: "careless", name: "careless", at: null, references: [], policy: undefined, replicaOf: undefined, mistakes: [], isProbed: false,
  open: () => { throw new Error("the real one was opened") },
  rehearsal: { faults: [{ name: "drops the connection" }], standIn: async () => new Standing() } }
const put = backend("careless", { service, bind: (site) => {
  const connection = site.connection(service)
  const exchange = { prepare: (input) => input, send: async (_, attempt) => { await connection.ask(attempt); return site.accept(undefined, attempt.call, "careless") } }
  return site.guard(service, exchange, { policy: undefined, mayRepeatUnknown: true })
} })
const one = op({ effect: "write", input: z.object({ text: z.string() }), output: nothing }).via(put)
export const app = trestle({ name: "careless", ops: { one } })
`
    const { ran, document } = await rowsOf(app)
    expect([ran.code, document.findings[0].message]).toEqual([
      1,
      "one: when careless drops the connection, put may have its effect 3 times at careless",
    ])
  })

  test("a replica that is none → the application does not start, exit 3", async () => {
    const app = appWith(`const one = op({ ${WRITE} }).via(fallback(crm.call("POST /people"), mail.call("POST /people")))`)
    const { ran } = await tried(app)
    expect([ran.code, ran.stdout]).toEqual([3, ""])
    expect(ran.stderr).toContain("error[TRS1010]")
  })
})

describe("what cannot be tried: a row with the reason, a warning with the fix, exit 0", () => {
  test("a map that nothing describes → its service fails all the same; a response schema makes it whole", async () => {
    const call = `crm.call("GET /people/{id}", { map: (r) => ({ id: r.person.no, name: r.person.nm }) })`
    const app = appWith(`const one = op({ ${READ} }).via(fallback(${call}, replica.call("GET /people/{id}")))`)
    const { ran, document, codes, row } = await rowsOf(app)
    expect([ran.code, codes]).toEqual([0, ["TRS3023"]])
    expect(document.findings[0].message).toContain("is not known (one was answered by replica)")
    expect(row("refuses connections")).toMatchObject({ servedBy: "replica" })
    const alone = await rowsOf(appWith(`const one = op({ ${READ} }).via(${call})`))
    expect([alone.ran.code, alone.codes]).toEqual([0, ["TRS3023"]])
    expect(alone.document.findings[0]).toMatchObject({
      severity: "warning",
      message: expect.stringContaining("one: what its services answer when all is well is not known (crm: map threw on its answer)"),
      fix: "one: Nothing says what its map reads: give the call a response schema, or a mapping.",
    })
    expect(document.summary.untried).toBe(0)
    expect(alone.row("is slow")).toMatchObject({ result: "untried", why: "what crm answers when it is well is not known" })
    expect(alone.row("refuses connections")).toMatchObject({ result: "held", code: "UNAVAILABLE" })
    const odd = appWith(`const one = op({ ${READ} }).via(fallback(replica.call("GET /people/{id}"), ${call}))`)
    const { codes: none, row: rowOfOdd } = await rowsOf(odd)
    expect(none).toEqual([])
    expect(rowOfOdd("says 500", "replica")).toMatchObject({ result: "untried", why: "what crm answers when it is well is not known" })
    const response = "response: z.object({ person: z.object({ no: z.string(), nm: z.string() }) }), "
    expect((await rowsOf(appWith(`const one = op({ ${READ} }).via(${call.replace("{ map", `{ ${response}map`)})`))).codes).toEqual([])
  })

  test("an input that no sample fits", async () => {
    const app = appWith(
      `const one = op({ effect: "read", input: Id.refine(({ id }) => id === "7"), output: Person }).via(crm.call("GET /people/{id}"))`,
    )
    const { ran, rows, codes, document } = await rowsOf(app)
    expect([ran.code, codes, document.summary.untried]).toEqual([0, ["TRS3023"], 1])
    expect(rows).toMatchObject([
      { operation: "one", service: "crm", fault: null, result: "untried", why: expect.stringContaining("no input could be made") },
    ])
    expect(document.findings[0].fix).toContain("examples: [")
  })

  test("a connector without a stand-in → is never opened; what it backs up is not blamed", async () => {
    const app =
      appWith(`const odd = { "~service": { kind: "odd", name: "odd", at: null, references: [], policy: undefined, replicaOf: undefined, mistakes: [], isProbed: false, open: () => { throw new Error("opened") } } }
const asked = { kind: "odd", plan: { service: odd["~service"], bind: (site: any) => { const c = site.connection(odd["~service"]); return (i: any, call: any) => site.accept(c.find(i), call, "odd") } } } as any
const one = op({ ${READ} }).via(fallback(crm.call("GET /people/{id}"), asked))`)
    const { ran, rows, codes } = await rowsOf(app)
    expect([ran.code, codes]).toEqual([0, []])
    expect(rows.at(-1)).toMatchObject({
      service: "odd",
      fault: null,
      result: "untried",
      why: expect.stringContaining("gives nothing to stand in its place"),
    })
    expect(rows.filter(({ result }) => result === "held")).toHaveLength(REST_FAULTS)
  })

  test("a service behind one that goes on answering → was not asked", async () => {
    const app =
      appWith(`const db = sqlite({ file: env("DB"), name: "db", migrate: "on start", migrations: [{ name: "0001-p", sql: "create table p (id text, name text)" }] })
const one = op({ effect: "read", input: Id, output: z.array(Person) }).via(fallback(db.many((i) => sql\`select id, name from p where id = \${i.id}\`), crm.call("GET /people")))`)
    const { rows } = await rowsOf(app)
    expect(rows[0]).toMatchObject({ service: "db", fault: "has lost its file", result: "held", servedBy: "db" })
    expect(new Set(rows.slice(1).map(({ result, why }) => `${result}: ${why}`))).toEqual(
      new Set(["untried: db answered all the same, so it was not asked"]),
    )
  })

  test("a row that takes longer than --limit", async () => {
    const app = appWith(`const one = op({ ${READ} }).via(crm.call("GET /people/{id}", { policy: { timeout: "20s" } }))`)
    const { rows, row } = await rowsOf(app, ["--limit", "500ms"])
    expect(row("hangs")).toMatchObject({ result: "untried", why: "it had not ended after 500ms" })
    expect(rows.filter(({ result }) => result === "untried").map(({ fault }) => fault)).toEqual(["is slow", "hangs"])
  })

  test("operations without a service → are named", async () => {
    const app = appWith(
      `const one = op({ ${READ} }).via(placeholder({ id: "1", name: "x" }, "waiting"))
const two = op({ ${READ} }).via(crm.call("GET /people/{id}"))`,
      "one, two",
    )
    const { ran } = await tried(app)
    expect(ran.stdout).toContain("\nno service: one\n")
  })
})

test("code of the application: connects to nothing beyond this machine, keeps its data in a folder that goes", async () => {
  const app = appWith(
    `import { mkdirSync, writeFileSync } from "node:fs"
const inner = op({ ${READ} }).via(crm.call("GET /people/{id}"))
const one = op({ ${READ} }).via(code(async (i, ctx) => {
  writeFileSync(process.env.TRESTLE_DATA + "/key", "k")
  const why = await fetch("http://192.0.2.1/").catch((error) => error.cause.message)
  if (!why.includes("beyond this machine")) throw new Error(why)
  return { ...(await ctx.run(inner, i)), name: why }
}))
`,
    "one, inner",
  )
  const { ran, codes, left, made } = await rowsOf(app, ["one"], { TRESTLE_DATA: "/nonexistent/trestle" })
  expect([ran.code, codes, left, made]).toEqual([0, [], [], []])
})

describe("output", () => {
  const app = appWith(
    `const one = op({ ${READ}, deadline: "1s" }).via(fallback(crm.call("GET /people/{id}", { policy: { timeout: "4s", retry: 0 } }), replica.call("GET /people/{id}")))
const two = op({ ${READ} }).via(crm.call("GET /people/{id}"))`,
    "one, two",
  )

  test("for people: a table of at most 80 columns, findings on stderr", async () => {
    const { ran } = await tried(app)
    expect(ran.code).toBe(1)
    expect(ran.stdout).toMatch(/^ +FAULT +THE CALLER GETS +FROM \/ OUTCOME +TRIES +TIME$/m)
    expect(ran.stdout).toContain("one  read, deadline 1s\n  when crm\n")
    expect(ran.stdout).toMatch(/^ {4}✓ refuses connections +degraded +replica +\d +\d+ms$/m)
    expect(ran.stdout).toMatch(/^ {4}✗ hangs +TIMEOUT +refused +1 +1s$/m)
    expect(ran.stdout).toContain("  when replica, asked when crm cannot answer\n")
    expect(ran.stdout).toMatch(/^people: \d+ held · 2 broken · 0 not tried$/m)
    expect(ran.stdout.split("\n").filter((line) => line.length > 80)).toEqual([])
    expect(ran.stdout + ran.stderr).not.toContain("\u001b")
    expect(ran.stderr).toContain("error[TRS3021]: one: when crm hangs, its fallback replica does not answer")
    expect(ran.stderr).toContain("help: Give it time")
  })

  test("--junit: well-formed, one case a row", async () => {
    const cwd = folder({ "app.ts": app })
    mkdirSync(join(cwd, "reports"))
    const ran = await trestle(["faults", "--junit", "reports/faults.xml", "--json"], { cwd })
    const { rows, summary } = json(ran)
    const xml = readFileSync(join(cwd, "reports", "faults.xml"), "utf8")
    const names = elementsOf(xml)
    expect(names.filter((name) => name === "testcase")).toHaveLength(rows.length)
    expect(names.filter((name) => name === "failure")).toHaveLength(summary.broken)
    expect(xml).toContain('<testsuite name="people" tests="36" failures="2" errors="0" skipped="0"')
    expect(xml).toContain('<failure type="TRS3021" message="one: when crm is slow, its fallback replica')
    expect(xml).toContain("policy: { timeout: &quot;300ms&quot;, retry: 0 }</failure>")
  })

  test("--junit into a folder that is not there → said, what was seen is told all the same", async () => {
    const { ran } = await tried(app, ["two", "--junit", "nowhere/faults.xml"])
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("error[TRS3008]: nowhere/faults.xml cannot be written")])
    expect(ran.stdout).toContain("12 held")
  })

  test("--service: only what it does", async () => {
    const { rows } = await rowsOf(app, ["--service", "replica"])
    expect([...new Set(rows.map(({ service }) => service))]).toEqual(["replica"])
  })
})

describe("wrong usage: exit 2", () => {
  const app = appWith(`const one = op({ ${READ} }).via(crm.call("GET /people/{id}"))`)
  test.each([
    ["an unknown service", ["--service", "crn"], 'Did you mean "crm"?'],
    ["an unknown operation", ["onn"], 'Did you mean "one"?'],
    ["a limit that is none", ["--limit", "soon"], "--limit 5m"],
  ])("%s", async (_, args, help) => {
    const { ran } = await tried(app, args)
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(help)])
  })

  test.each([
    ["TRESTLE_ENV", { TRESTLE_ENV: "production" }],
    ["NODE_ENV", { NODE_ENV: "production" }],
  ])("production, by %s", async (name, env) => {
    const { ran } = await tried(app, [], env)
    expect([ran.code, ran.stdout]).toEqual([2, ""])
    expect(ran.stderr).toContain(`faults does not run in production, and ${name} says that this is production`)
  })
})

test("SIGINT: exit 130, what was tried is told, nothing is left", async () => {
  const slow = appWith(
    `const one = op({ ${READ} }).via(crm.call("GET /people/{id}", { policy: { timeout: "20s", retry: 0 }, headers: () => { console.log("asked"); return {} } }))`,
  )
  const temporary = mkdtempSync(join(tmpdir(), "trestle-test-"))
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }))
  const child = startTrestle(["faults", "--json"], { cwd: folder({ "app.ts": slow }), env: { TMPDIR: temporary } })
  const ended = finished(child)
  let asked = 0
  child.stderr!.on("data", (text) => {
    asked += String(text).split("asked").length - 1
    // Once all is well, then a warming call and one more for each fault: by then some have ended.
    if (asked > 2 * REST_FAULTS) child.kill("SIGINT")
  })
  const ran = await ended
  expect(ran.code).toBe(130)
  const { summary, rows } = json(ran)
  expect(summary.held).toBeGreaterThan(0)
  expect(rows.find(({ fault }: Row) => fault === "hangs")).toMatchObject({ result: "untried", why: "interrupted" })
  expect(readdirSync(temporary)).toEqual([])
})

/** The names of all elements; throws where tags do not nest, or an attribute is not closed. */
function elementsOf(xml: string): string[] {
  const names: string[] = []
  const open: string[] = []
  const tag = /<(?:\?xml[^?]*\?|(\/?)([a-z]+)((?: [a-z]+="[^"<&]*(?:&[a-z#0-9]+;[^"<&]*)*")*)(\/?))>|([^<&]|&[a-z#0-9]+;)+/gy
  for (let at = 0; at < xml.length; at = tag.lastIndex) {
    const found = tag.exec(xml)
    if (!found) throw new Error(`no XML at ${at}: ${xml.slice(at, at + 80)}`)
    const [, isEnd, name, , isEmpty] = found
    if (name === undefined) continue
    if (isEnd) expect(open.pop()).toBe(name)
    else {
      names.push(name)
      if (!isEmpty) open.push(name)
    }
  }
  expect(open).toEqual([])
  return names
}
