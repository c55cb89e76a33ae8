import { request } from "node:http"
import { code, nothing, op, role, trestle } from "trestle"
import { createClient } from "trestle/client"
import { type TestApp, testApp } from "trestle/testing"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { anyone } from "../../src/contract/principal.ts"
import type { Log } from "../../src/telemetry/call-log.ts"

const Note = z.object({ key: z.string(), text: z.string() })
const app = trestle({
  name: "notes",
  ops: {
    notes: {
      create: op({ http: "POST /v2/notes", input: Note, output: Note, allow: anyone("test"), was: ["notes.add", "addNote"] }).via(
        code((i) => i),
      ),
      old: op({
        http: "POST /notes",
        input: Note,
        output: Note,
        errors: { FULL: 409 },
        allow: anyone("test"),
        deprecated: { sunset: "2999-01-31", since: "2026-10-01", use: "notes.create" },
      }).via(code((i, ctx) => (i.text === "full" ? ctx.fail("FULL") : i))),
      older: op({
        http: "GET /notes",
        input: nothing,
        output: z.array(Note),
        allow: role("reader"),
        was: ["notes.all"],
        deprecated: { sunset: "2999-06-30" },
      }).via(code(() => [])),
    },
    inside: op({ effect: "read", input: nothing, output: nothing, was: ["within"] }).via(code(() => undefined)),
  },
})

const post = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
})
const NOTE = { key: "1", text: "hello" }
let t: TestApp<(typeof app)["ops"]>
beforeAll(async () => {
  t = await testApp(app)
})
afterAll(() => t.close())
const sent = (path: string, init: RequestInit) => t.http(new Request(`http://localhost${path}`, init))

describe("an operation on its way out", () => {
  const announced = { deprecation: "@1790812800", sunset: "Thu, 31 Jan 2999 00:00:00 GMT" }
  const fieldsOf = ({ headers }: Response) => ({ deprecation: headers.get("deprecation"), sunset: headers.get("sunset") })

  test.each([
    ["its route", "/notes", NOTE, 201],
    ["rpc", "/rpc/notes.old", NOTE, 200],
    ["an error of its own", "/notes", { key: "1", text: "full" }, 409],
    ["a refusal", "/notes", { key: 7 }, 400],
  ])("%s → Deprecation and Sunset", async (_, path, body, status) => {
    const answer = await sent(path, post(body))
    expect([answer.status, fieldsOf(answer)]).toEqual([status, announced])
  })

  test("without since → the day of the start", async () => {
    const day = new Date(t.clock.epoch())
    const midnight = Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate())
    expect((await sent("/notes", {})).headers.get("deprecation")).toBe(`@${midnight / 1_000}`)
  })

  test.each(["/v2/notes", "/rpc/notes.create"])("another one (%s) → neither", async (path) => {
    expect(fieldsOf(await sent(path, post(NOTE)))).toEqual({ deprecation: null, sunset: null })
  })

  test("the document: deprecated, with the sentence", async () => {
    const document: any = await (await t.http("/openapi.json")).json()
    expect(document.paths["/notes"].post).toMatchObject({
      deprecated: true,
      description: "Deprecated: ends on 2999-01-31. Use notes.create.",
    })
    expect(document.paths["/v2/notes"].post).not.toHaveProperty("deprecated")
  })
})

describe("a former path", () => {
  test.each(["notes.add", "addNote"])("POST /rpc/%s → the operation of today, by the same rules", async (former) => {
    const answer = await sent(`/rpc/${former}`, post(NOTE))
    expect([answer.status, await answer.json()]).toEqual([200, NOTE])
    expect((await sent(`/rpc/${former}`, post({}))).status).toBe(400)
    expect(t.calls().at(-1)).toMatchObject({ operation: "notes.create", entrance: "rpc" })
  })
  test("a rule about callers → holds", async () => expect((await sent("/rpc/notes.all", { method: "POST" })).status).toBe(401))
  test("of an operation that ends → is announced too", async () => {
    expect((await sent("/rpc/notes.all", { method: "POST" })).headers.get("sunset")).toBe("Sun, 30 Jun 2999 00:00:00 GMT")
  })
  test("of an internal operation → nobody is there", async () => expect((await sent("/rpc/within", { method: "POST" })).status).toBe(404))
  test("another method → 405", async () => expect((await sent("/rpc/notes.add", {})).status).toBe(405))
  test("the document: named in x-trestle, no address of its own", async () => {
    const document: any = await (await t.http("/openapi.json")).json()
    expect(document.paths["/v2/notes"].post["x-trestle"].was).toEqual(["notes.add", "addNote"])
    expect(Object.keys(document.paths)).toEqual(["/v2/notes", "/notes"])
  })
})

test("over the network: an old client works, and the log says so once; a refusal before the body is read is announced too", async () => {
  const warned: string[] = []
  const events = { info: () => {}, warn: (message: string) => warned.push(message), error: () => {} }
  const log = { events, recorder: { record: () => {} }, close: async () => {} } as unknown as Log
  const running = await startApp(app, { log })
  const { url } = await running.listen({ port: 0 })
  try {
    const old: any = createClient<{ ops: any }>({ url })
    expect([await old.notes.add(NOTE), await old.notes.add(NOTE)]).toEqual([NOTE, NOTE])
    expect(warned).toEqual(["deprecated path: a client calls notes.add, which is notes.create now"])
    const refused = await new Promise<any>((resolve, reject) => {
      const sending = request(
        `${url}/notes`,
        { method: "POST", headers: { "content-type": "text/plain", "content-length": "9999" } },
        resolve,
      )
      sending.on("error", reject)
      sending.write("x")
    })
    expect([refused.statusCode, refused.headers.sunset]).toEqual([415, "Thu, 31 Jan 2999 00:00:00 GMT"])
    refused.destroy()
  } finally {
    await running.close()
  }
})
