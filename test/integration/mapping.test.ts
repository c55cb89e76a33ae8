// A mapping in a running application: a real service whose data drift, and what callers, log, metrics and warnings then say.
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { code, fallback, op, type Running, rest, role, trestle, value } from "trestle"
import { date, from, integer, list, mapping, oneOf, optional, text, trimmed, yesNo } from "trestle/mapping"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { Redactor } from "../../src/base/redact.ts"
import { anyone, type Principal } from "../../src/contract/principal.ts"
import { openLog } from "../../src/telemetry/call-log.ts"
import { PrettyLines } from "../../src/telemetry/pretty.ts"
import { FakeClock } from "../../src/testing/fake-clock.ts"

const Candidate = z.object({
  id: z.string(),
  name: z.string().max(40),
  level: z.enum(["junior", "senior"]),
  active: z.boolean(),
  registeredOn: z.iso.date(),
  leftOn: z.iso.date().optional(),
})
const person = mapping(Candidate, {
  id: from("person_no", text),
  name: from("full_nm", trimmed, { drift: "fullName" }),
  level: from("lvl_cd", oneOf({ "1": "junior", "2": "senior" })),
  active: from("active_yn", yesNo),
  registeredOn: from("reg_dt", date("dd/MM/yyyy", { drift: "yyyy-MM-dd" })),
  leftOn: from("left_dt", optional(date("dd/MM/yyyy"))),
})
const Page = z.object({ candidates: z.array(Candidate), total: z.number() })
const page = mapping(Page, { candidates: from("rows", list(person)), total: from("total_cnt", integer) })

const agreed = { person_no: "1", full_nm: "Ada", lvl_cd: "2", active_yn: "Y", reg_dt: "22/11/2026" }
const drifted = { ...agreed, full_nm: undefined, fullName: "Ada ", active_yn: "yes", reg_dt: "2026-11-22" }
const ours = { id: "1", name: "Ada", level: "senior", active: true, registeredOn: "2026-11-22" }

let says: unknown = agreed
const received: unknown[] = []
const service: Server = createServer((request, response) => {
  let body = ""
  request.on("data", (piece) => {
    body += piece
  })
  request.on("end", () => {
    if (body !== "") received.push(JSON.parse(body))
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(says))
  })
})
await new Promise<void>((listening) => service.listen(0, "127.0.0.1", listening))
const people = rest({ url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`, name: "people", policy: { retry: 0 } })
afterAll(() => void service.close())

const One = z.object({})
const strict = op({ effect: "read", input: One, output: Candidate }).via(people.call("GET /p", { map: person.read }))
const repair = op({ http: "GET /p", input: One, output: Candidate, drift: "repair", allow: [anyone("test"), role("boss")] }).via(
  people.call("GET /p", { map: person.read }),
)
const warn = op({ effect: "read", input: One, output: Candidate, drift: "warn" }).via(people.call("GET /p", { map: person.read }))
const pages = op({ effect: "read", input: One, output: Page, drift: "repair" }).via(people.call("GET /p", { map: page.read }))
const create = op({ effect: "write", input: Candidate, output: Candidate }).via(
  people.call("POST /p", { body: person.write, map: person.read }),
)
const inCode = op({ effect: "read", input: One, output: Candidate, drift: "repair" }).via(code((_input, ctx) => person.read(drifted, ctx)))
const outer = op({ effect: "read", input: One, output: Candidate }).via(code((_input, ctx) => ctx.run(repair, {})))
const byHand = op({ effect: "read", input: One, output: z.object({ name: z.string() }), drift: "warn" }).via(
  people.call("GET /p", { response: z.object({ full_nm: z.string() }), map: (p) => ({ name: p.full_nm ?? "unknown" }) }),
)
const orElse = op({ effect: "read", input: One, output: Candidate.nullable() }).via(
  fallback(people.call("GET /p", { map: person.read }), value(null)),
)
const app = trestle({
  name: "mapped",
  ops: { strict, repair, warn, pages, create, inCode, outer, byHand, orElse },
  permissions: { boss: ["meta:read"] },
})

let lines = ""
const clock = new FakeClock()
const log = openLog({
  name: "mapped",
  format: "json",
  level: "info",
  redactor: new Redactor(),
  clock,
  destination: {
    write: (text: string) => {
      lines += text
    },
  },
})
const environment = { name: "test", sources: [], findings: [], get: () => undefined, names: () => [] }
let running: Running<(typeof app)["ops"]>
beforeAll(async () => {
  running = await startApp(app, { log, clock, environment: environment as never })
})
afterAll(() => running.close())
beforeEach(async () => {
  await log.flush()
  says = agreed
  lines = ""
  received.length = 0
})

async function logged(): Promise<any[]> {
  await log.flush()
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}
const calls = () => running.internal()
const KINDS = [
  "full_nm → name: under the name fullName",
  "full_nm → name: with blanks round it",
  "active_yn → active: in another form of yes and no",
  "reg_dt → registeredOn: in the format yyyy-MM-dd",
]

describe("data as agreed", () => {
  test.each(["strict", "repair", "warn"] as const)("%s: mapped, and nothing is told of repairs", async (name) => {
    const { value, meta } = await calls()[name].detailed({})
    expect(value).toEqual(ours)
    expect(meta).not.toHaveProperty("repaired")
    expect(lines).not.toContain("repaired")
  })
  test("written: theirs, as the mapping says", async () => {
    await calls().create(ours as never)
    expect(received).toEqual([agreed])
  })
})

describe("data that have drifted", () => {
  beforeEach(() => {
    says = drifted
  })

  test("strict: INTERNAL to the caller; the operator hears of both names and what was expected, never a value", async () => {
    const result = await calls().strict.safe({})
    expect(result).toMatchObject({ ok: false, code: "INTERNAL", detail: "Something went wrong on our side.", issues: [] })
    const [line] = (await logged()).filter(({ operation }) => operation === "strict")
    expect(line).toMatchObject({ reason: "answer-not-mapped", code: "INTERNAL", outcome: "refused" })
    expect(line.note).toBe(
      'people: full_nm → name: is missing, but there is fullName (`drift: "repair"` would take it); ' +
        'active_yn → active: is no "Y" or "N", but in another form of yes and no (`drift: "repair"` would take it); ' +
        'reg_dt → registeredOn: is no date of "dd/MM/yyyy", but in the format yyyy-MM-dd (`drift: "repair"` would take it)',
    )
    expect(lines).not.toMatch(/2026-11-22"|Ada/)
  })
  test("strict, with a fallback: the fallback answers", async () => {
    const { value, meta } = await calls().orElse.detailed({})
    expect(value).toBeNull()
    expect(meta.degraded).toMatchObject({ why: expect.stringContaining("reg_dt → registeredOn") })
  })
  test("repair: mapped, and told in meta and in the log line", async () => {
    const { value, meta } = await calls().repair.detailed({})
    expect(value).toEqual(ours)
    expect(meta.repaired).toMatchObject({ count: 4, fields: KINDS })
    const [line] = (await logged()).filter(({ operation }) => operation === "repair")
    expect(line).toMatchObject({ level: "info", outcome: "ok", repaired: { count: 4, fields: KINDS } })
    expect(new PrettyLines(false).line(JSON.stringify(line))).toContain("repaired 4 (full_nm → name: under the name fullName, ")
  })
  test("repair, over HTTP: in Trestle-Meta, for who may see it", async () => {
    const answer = await running.fetch(new Request("http://localhost/p"))
    expect(answer.status).toBe(200)
    expect(answer.headers.get("trestle-meta")).not.toContain("repaired")
    const boss: Principal = { id: "b", kind: "user", roles: ["boss"] }
    expect((await running.as(boss).repair.detailed({})).meta.repaired?.count).toBe(4)
  })
  test("repair, a list: each kind once, each value counted", async () => {
    says = { rows: [drifted, agreed, drifted], total_cnt: "3" }
    const { value, meta } = await calls().pages.detailed({})
    expect(value).toEqual({ candidates: [ours, ours, ours], total: 3 })
    expect(meta.repaired).toMatchObject({ count: 9 })
    expect(meta.repaired?.fields).toContain("rows[].reg_dt → candidates[].registeredOn: in the format yyyy-MM-dd")
  })
  test("repair, one value beyond repair: refused, with its position, and no repair is told", async () => {
    says = { rows: [agreed, drifted, { ...drifted, reg_dt: "31/02/2026" }], total_cnt: 3 }
    expect(await calls().pages.safe({})).toMatchObject({ ok: false, code: "INTERNAL" })
    const [line] = (await logged()).filter(({ operation }) => operation === "pages")
    expect(line.note).toBe("people: rows[2].reg_dt → candidates[2].registeredOn: is a day or a time that does not exist")
    expect(line).not.toHaveProperty("repaired")
  })
  test("in code(), with its ctx: under the operation's drift, into its report", async () => {
    const { value, meta } = await calls().inCode.detailed({})
    expect(value).toEqual(ours)
    expect(meta.repaired?.count).toBe(4)
  })
  test("nested: told of by the call outside too", async () => {
    expect((await calls().outer.detailed({})).meta.repaired).toMatchObject({ count: 4, fields: KINDS })
  })
  test("an optional field that cannot be read: left out with warn, refused with repair", async () => {
    says = { ...agreed, left_dt: "n/a" }
    const { value, meta } = await calls().warn.detailed({})
    expect(value).toEqual(ours)
    expect(meta.repaired?.fields).toEqual(['left_dt → leftOn: left out, for no date of "dd/MM/yyyy" could be read'])
    expect(await calls().repair.safe({})).toMatchObject({ ok: false, code: "INTERNAL" })
  })
  test("warn, a hand-written response that does not fit: passed on, and told of", async () => {
    const { value, meta } = await calls().byHand.detailed({})
    expect(value).toEqual({ name: "unknown" })
    expect(meta.repaired?.fields).toEqual([expect.stringMatching(/^full_nm: .*; passed on as it is$/)])
  })
  test("what is mapped right and does not fit the contract: refused all the same", async () => {
    says = { ...agreed, full_nm: "A".repeat(41) }
    expect(await calls().repair.safe({})).toMatchObject({ ok: false, code: "INTERNAL" })
    expect(lines + (await logged()).map(({ reason }) => reason)).toContain("output-misfit")
  })
  test("an input that cannot be written: INTERNAL, nothing is sent, both names in the note", async () => {
    const result = await calls().create.safe({ ...ours, name: " Ada" } as never)
    expect(result).toMatchObject({ ok: false, code: "INTERNAL", outcome: "refused" })
    expect(received).toEqual([])
    const [line] = (await logged()).filter(({ operation }) => operation === "create")
    expect(line).toMatchObject({ reason: "request-not-mapped" })
    expect(line.note).toBe("people: name → full_nm: cannot be written as text without blanks round it")
  })
})

describe("warnings and metrics", () => {
  const warnings = async () => (await logged()).filter(({ level, msg }) => level === "warn" && String(msg).includes("have drifted"))

  test("drift: warn → each kind once, then again after ten minutes with its number", async () => {
    says = drifted
    await clock.advance("11m")
    for (let call = 0; call < 50; call++) await calls().warn({})
    expect((await warnings()).map(({ msg }) => msg)).toEqual(KINDS.map((kind) => `data of people have drifted: ${kind}`))
    lines = ""
    await clock.advance("11m")
    await calls().warn({})
    expect((await warnings()).map(({ by, times }) => [by, times])).toEqual(KINDS.map(() => ["warn", 50]))
  })
  test("drift: repair → no warnings", async () => {
    says = drifted
    await calls().repair({})
    expect(await warnings()).toEqual([])
  })
  test("metrics: repairs by operation and kind, once where calls are nested; nothing of a value", async () => {
    const countOf = async (operation: string): Promise<number> =>
      Number(
        new RegExp(`trestle_repairs_total\\{operation="${operation}",field="reg_dt[^"]*"\\} (\\d+)`).exec(await running.metrics())?.[1] ??
          0,
      )
    const before = { repair: await countOf("repair"), outer: await countOf("outer") }
    says = drifted
    await calls().repair({})
    await calls().outer({})
    expect([(await countOf("repair")) - before.repair, await countOf("outer")]).toEqual([2, 0])
    expect(await running.metrics()).toContain("# TYPE trestle_repairs_total counter")
    expect(await running.metrics()).not.toMatch(/2026-11-22|Ada/)
  })
})
