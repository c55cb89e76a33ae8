import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { finished, folder, json, startTrestle, trestle } from "./kit.ts"

/** A people service with three people that can be added to and taken from, and what it was asked. */
async function peopleService() {
  const people = new Map([["7", { id: "7", name: "Ada" }]])
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const [, , id] = request.url!.split("/")
    let body = ""
    request.on("data", (text) => {
      body += text
    })
    request.on("end", () => {
      const answer = (status: number, value: unknown) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
      if (request.url === "/odd") return answer(200, { id: 7 })
      if (request.url === "/secret") return answer(401, { token: request.headers.authorization })
      if (request.method === "POST") {
        people.set("8", { id: "8", ...JSON.parse(body) })
        return answer(201, people.get("8"))
      }
      if (request.method === "DELETE") return people.delete(id!) ? answer(200, {}) : answer(404, {})
      if (id === undefined) return answer(200, [...people.values()])
      return people.has(id) ? answer(200, people.get(id)) : answer(404, {})
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, people, asked }
}

const HEAD = `import { anyone, bearer, code, env, fallback, file, nothing, op, placeholder, rest, secret, stream, trestle, value } from "trestle"
import { z } from "zod"
const Person = z.object({ id: z.string(), name: z.string() })
const Id = z.object({ id: z.string() })
const crm = rest({ url: env("CRM_URL"), name: "crm", policy: { retry: 0 } })
`
const OPERATIONS = `
const show = op({ http: "GET /people/{id}", input: Id, output: Person, allow: anyone("t"), anyObject: "t", examples: [{ input: { id: "7" }, output: { id: "7", name: "Ada" } }] })
  .via(crm.call("GET /people/{id}"))
const list = op({ http: "GET /people", input: z.object({ limit: z.number().optional() }), output: z.array(Person), allow: anyone("t") }).via(crm.call("GET /people"))
const find = op({ effect: "read", input: Id, output: Person }).via(crm.call("GET /people/{id}"))
const remove = op({ effect: "write", input: Id, output: nothing }).via(crm.call("DELETE /people/{id}", { map: () => undefined }))
const add = op({ effect: "write", input: z.object({ name: z.string() }), output: Person, verify: { input: { name: "trestle-verify" }, cleanup: (made, run) => run(remove, { id: made.id }) } })
  .via(crm.call("POST /people"))
const stub = op({ effect: "read", input: nothing, output: z.object({ n: z.number() }) }).via(placeholder({ n: 1 }, "waiting"))
export const app = trestle({ name: "people", ops: { show, list, find, remove, add, stub } })
`
const APP = HEAD + OPERATIONS

/** One operation, given as text. */
const appWith = (operation: string): string =>
  `${HEAD}const one = ${operation}\nexport const app = trestle({ name: "people", ops: { one } })\n`
const READ = 'effect: "read", input: z.object({}), output: Person'

async function verified(app: string, args: readonly string[] = []) {
  const service = await peopleService()
  const cwd = folder({ "app.ts": app })
  const env = { CRM_URL: service.url, CRM_TOKEN: "token-of-the-crm-1234" }
  const ran = await trestle(["verify", ...args], { cwd, env })
  return { ...service, cwd, env, ran }
}
const evidenceIn = (cwd: string) => JSON.parse(readFileSync(join(cwd, ".trestle", "evidence.json"), "utf8")).operations

describe("verify", () => {
  test("what it is answered → not remembered for callers, and nothing that was remembered stands in", async () => {
    const operation = `op({ effect: "read", input: nothing, output: z.array(Person) }).via(fallback(crm.call("GET /people"), lastGood({ for: "1h", shared: true })))`
    const { ran, cwd } = await verified(appWith(operation).replace("nothing, op,", "lastGood, nothing, op,"))
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^✓ held +one /m)])
    expect(readdirSync(join(cwd, ".trestle"))).toEqual(["evidence.json"])
  })
  test("reads by their examples, or by nothing where they need nothing; the table, the warnings, the board after it", async () => {
    const { ran, asked, cwd, env } = await verified(APP)
    expect(ran.code).toBe(0)
    expect(ran.stdout).toMatch(/^RESULT +OPERATION +MS +SERVED BY +REMARK$/m)
    expect(ran.stdout).toMatch(/^✓ held +show +\d+ +crm +1 input$/m)
    expect(ran.stdout).toMatch(/^✓ held +list +\d+ +crm +1 input$/m)
    expect(ran.stdout).toMatch(/^! untried +find +- +- +no example$/m)
    expect(ran.stdout).toMatch(/^- skipped +add +- +- +a write: only with --writes$/m)
    expect(ran.stdout).toMatch(/^- skipped +stub +- +- +placeholder: waiting$/m)
    expect(ran.stdout).toContain("people: 2 held · 0 broken · 1 untried · 3 skipped\n")
    expect(ran.stderr).toContain("warning[TRS3012]: find is not verified: no example\n  --> app.ts:10")
    expect(ran.stderr).toContain("help: examples: [{ input: { id: ... }, output: ... }],")
    expect(asked).toEqual(["GET /people/7", "GET /people"])

    const board = json(await trestle(["status", "--json"], { cwd, env }))
    expect(board.summary).toMatchObject({ placeholder: 1, wired: 3, verified: 2, live: 0 })
    expect(board.operations[0]).toMatchObject({
      operation: "show",
      state: "verified",
      seenBy: "crm",
      seenAt: expect.stringMatching(/^20\d\d-/),
    })
    expect((await trestle(["status"], { cwd })).stdout).toMatch(/^◑ show +GET \/people\/\{id\} +rest crm +20\d\d-\d\d-\d\d by crm$/m)
    expect(statSync(join(cwd, ".trestle", "evidence.json")).mode & 0o777).toBe(0o600)
  })

  test("several without an example or verify: one warning that names them, with what to write for each kind", async () => {
    const app = APP.replace("ops: { show,", "ops: { again, show,").replace(
      "const find =",
      'const again = op({ effect: "read", input: Id, output: Person }).via(crm.call("GET /people/{id}"))\nconst find =',
    )
    const { ran } = await verified(app, ["again", "find", "remove", "--writes"])
    expect(ran.code).toBe(0)
    expect(ran.stderr.match(/warning/g)).toHaveLength(1)
    expect(ran.stderr).toContain("warning[TRS3012]: 3 operations are not verified: again, find (no example); remove (no verify)\n")
    expect(ran.stderr).toMatch(/help: examples: \[\{ input: .+\n +verify: \{ input: /)
  })

  test("targets: only those", async () => {
    const { ran, asked } = await verified(APP, ["li*"])
    expect([ran.code, asked]).toEqual([0, ["GET /people"]])
  })

  test("--writes: the write that declares how, and its cleanup; without verify a warning", async () => {
    const { ran, asked, people, cwd } = await verified(APP, ["add", "remove", "--writes"])
    expect(ran.code).toBe(0)
    expect(asked).toEqual(["POST /people", "DELETE /people/8"])
    expect([...people.keys()]).toEqual(["7"])
    expect(ran.stderr).toContain("warning[TRS3012]: remove is not verified: no verify")
    expect(Object.keys(evidenceIn(cwd))).toEqual(["add"])
  })

  test("--json: one document, each operation with its result", async () => {
    const { ran } = await verified(APP, ["--json"])
    expect(json(ran)).toMatchObject({
      schema: "trestle.verify/1",
      ok: true,
      summary: { app: "people", held: 2, broken: 0, untried: 1, skipped: 3 },
      findings: [{ code: "TRS3012", severity: "warning" }],
      operations: expect.arrayContaining([
        { operation: "show", result: "held", ms: expect.any(Number), servedBy: "crm", tried: 1, why: null, isUnreachable: false },
      ]),
    })
  })

  test("a changed contract: wired again, and the board says so", async () => {
    const { cwd } = await verified(APP)
    const { writeFileSync } = await import("node:fs")
    writeFileSync(
      join(cwd, "app.ts"),
      APP.replace("name: z.string() })\nconst Id", "name: z.string(), mail: z.string().optional() })\nconst Id"),
    )
    const { stdout } = await trestle(["status"], { cwd })
    expect(stdout).toMatch(/^◔ show .* was verified on 20\d\d-\d\d-\d\d, before the contract changed$/m)
  })
})

describe("a promise that is not kept: exit 1, the operator's reason, what to do", () => {
  test.each([
    ["an answer that does not fit", `op({ ${READ} }).via(crm.call("GET /odd"))`, /INTERNAL: .*crm/],
    ["an answer of second choice", `op({ ${READ} }).via(fallback(crm.call("GET /odd"), value({ id: "0", name: "nobody" })))`, /degraded: /],
    [
      "a placeholder inside",
      `op({ ${READ} }).via(code((_, { run }) => run(inner, {})))\nconst inner = op({ ${READ} }).via(placeholder({ id: "1", name: "x" }, "why"))`,
      /a placeholder inside it answered/,
    ],
    [
      "an object that is not there",
      `op({ effect: "read", input: Id, output: Person, examples: [{ input: { id: "9" }, output: { id: "9", name: "" } }] }).via(crm.call("GET /people/{id}"))`,
      /NOT_FOUND/,
    ],
    [
      "an item of many that does not fit",
      `op({ effect: "read", input: z.object({}), output: stream(Person) }).via(code(async function* () { yield { id: "1", name: "a" }; yield { id: 2 } as never }))`,
      /INTERNAL: .*id/,
    ],
    ["a throw", `op({ ${READ} }).via(code(() => { throw new Error("the bill is due") }))`, /INTERNAL: .*the bill is due/],
  ])("%s", async (_, operation, why) => {
    const withInner = operation.includes("const inner")
      ? appWith(operation).replace("ops: { one }", "ops: { one, inner }")
      : appWith(operation)
    const { ran } = await verified(withInner, ["one"])
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringMatching(why)])
    expect(ran.stderr).toMatch(/^error\[TRS3012\]: one: /m)
    expect(ran.stderr).toMatch(/^ {2}help: \S/m)
    expect(ran.stdout).toMatch(/^✗ broken +one/m)
  })

  test("many items and a file: held, though nobody takes them to their end", async () => {
    const endless = `op({ effect: "read", input: z.object({}), output: stream(Person) }).via(code(async function* () { for (;;) yield { id: "1", name: "a" } }))`
    const bytes = `op({ effect: "read", input: z.object({}), output: file() }).via(code(() => new Uint8Array(9)))`
    const { ran } = await verified(appWith(`${endless}\nconst two = ${bytes}`).replace("ops: { one }", "ops: { one, two }"))
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining("2 held")])
  })

  test("a cleanup that fails: says what is left", async () => {
    const cleanup = 'verify: { input: { name: "x" }, cleanup: () => { throw new Error("no way back") } }'
    const { ran, people } = await verified(
      appWith(`op({ effect: "write", input: z.object({ name: z.string() }), output: Person, ${cleanup} }).via(crm.call("POST /people"))`),
      ["--writes"],
    )
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain("it answered, but cleanup failed: no way back")
    expect(ran.stderr).toContain("is still there")
    expect(people.size).toBe(2)
  })

  test("what was verified before is not any more", async () => {
    const { cwd, env, people } = await verified(APP)
    people.clear()
    expect(await trestle(["verify", "show"], { cwd, env })).toMatchObject({ code: 1 })
    expect(Object.keys(evidenceIn(cwd))).toEqual(["list"])
  })

  test("a secret in the reason: masked", async () => {
    const operation = `op({ ${READ} }).via(code(() => { throw new Error("sent " + process.env.CRM_TOKEN) }))\nconst keyed = rest({ url: env("CRM_URL"), auth: bearer(secret("CRM_TOKEN")), name: "keyed" })\nconst two = op({ ${READ} }).via(keyed.call("GET /secret"))`
    const { ran } = await verified(appWith(operation).replace("ops: { one }", "ops: { one, two }"))
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain("sent [redacted]")
    expect(ran.stdout + ran.stderr).not.toContain("token-of-the-crm")
  })
})

describe("other ends", () => {
  test("a service that is not there: exit 4, and what was verified before stays", async () => {
    const { cwd } = await verified(APP)
    const ran = await trestle(["verify"], { cwd, env: { CRM_URL: "http://127.0.0.1:1" } })
    expect(ran.code).toBe(4)
    expect(ran.stderr).toContain("UNAVAILABLE")
    expect(Object.keys(evidenceIn(cwd))).toEqual(["show", "list"])
  })
  test("an unset setting: exit 3", async () => {
    expect(await trestle(["verify"], { cwd: folder({ "app.ts": APP }) })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("CRM_URL"),
    })
  })
  test("an unknown target: exit 2", async () => {
    expect(await trestle(["verify", "shwo"], { cwd: folder({ "app.ts": APP }) })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean "show"?'),
    })
  })
  test("a data folder that cannot be written: a warning, exit 0", async () => {
    const service = await peopleService()
    const cwd = folder({ "app.ts": APP, data: "a file, no folder" })
    const ran = await trestle(["verify", "list"], { cwd, env: { CRM_URL: service.url, TRESTLE_DATA: "data" } })
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("warning[TRS3008]: what was seen cannot be kept")])
    chmodSync(join(cwd, "data"), 0o600)
  })
  test("SIGINT: exit 130", async () => {
    const slow = appWith(
      `op({ ${READ} }).via(code(async (_, { signal }) => { console.log("begun"); await new Promise((r) => signal.addEventListener("abort", r)); return { id: "", name: "" } }))`,
    )
    const child = startTrestle(["verify"], { cwd: folder({ "app.ts": slow }), env: { CRM_URL: "http://127.0.0.1:1" } })
    const ended = finished(child)
    child.stderr!.on("data", (text) => String(text).includes("begun") && child.kill("SIGINT"))
    expect(await ended).toMatchObject({ code: 130 })
  })
})
