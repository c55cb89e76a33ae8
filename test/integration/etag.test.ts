import { request } from "node:http"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { createClient } from "../../src/client/index.ts"
import { backend } from "../../src/contract/backend.ts"
import { anyone, code, nothing, op, type Running, trestle } from "../../src/index.ts"
import { rememberingLog } from "../../src/testing/stand-ins.ts"

let text = "one"
const open = { input: z.object({}), output: z.object({ text: z.string() }), allow: anyone("a test") }
let written = 0
/** Names the version of its answer, as a table does. */
const versioned = (tag: string) =>
  backend<object, { text: string }>("versioned", {
    comparesVersion: true,
    bind: (site) => (_input, call) => {
      call.noteEtag(tag)
      return site.accept({ text: `${text} if ${call.ifMatch}` }, call, "versioned")
    },
  })
const app = trestle({
  name: "versions",
  ops: {
    get: op({ http: "GET /note", ...open, etag: true }).via(code(() => ({ text }))),
    plain: op({ http: "GET /plain", ...open }).via(code(() => ({ text }))),
    named: op({ http: "GET /named", ...open }).via(versioned("v7")),
    odd: op({ http: "GET /odd", ...open }).via(versioned("v 7\r\nx: é")),
    put: op({ http: "PUT /named", ...open }).via(versioned("v8")),
    set: op({ http: "PUT /note", ...open, effect: "write" }).via(
      code(() => {
        written++
        return { text }
      }),
    ),
    gone: op({ http: "GET /gone", ...open, etag: true }).via(code((_, { fail }) => fail("NOT_FOUND"))),
    ping: op({ http: "POST /ping", ...open, output: nothing }).via(code(() => undefined)),
  },
})

/** As it is on the wire. */
interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

describe("versions over HTTP", () => {
  let running: Running<typeof app.ops>
  let url = ""
  beforeAll(async () => {
    running = await startApp(app, { log: rememberingLog([]) })
    url = (await running.listen({ port: 0 })).url
  })
  afterAll(() => running.close())

  const ask = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const asked = request(`${url}${path}`, { method, headers }, (reply) => {
        let body = ""
        reply.setEncoding("utf8").on("data", (chunk) => (body += chunk))
        reply.on("end", () => resolve({ status: reply.statusCode!, headers: reply.headers, body }))
      })
      asked.on("error", reject).end()
    })
  const etagOf = async (path: string): Promise<string> => String((await ask(path)).headers.etag)

  test("etag: → a strong tag, private and to be asked for again", async () => {
    const { status, headers, body } = await ask("/note")
    expect([status, body]).toEqual([200, '{"text":"one"}'])
    expect(headers.etag).toMatch(/^"[\w-]{22}"$/)
    expect(headers).toMatchObject({ "cache-control": "private, no-cache", vary: "authorization, cookie, x-api-key" })
  })
  test("the client holds it → 304 without a body, with the same fields", async () => {
    const etag = await etagOf("/note")
    for (const held of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const { status, headers, body } = await ask("/note", { "if-none-match": held })
      expect([status, body]).toEqual([304, ""])
      expect(headers).toMatchObject({ etag, "cache-control": "private, no-cache", vary: "authorization, cookie, x-api-key" })
      expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/)
      expect(headers["content-type"]).toBeUndefined()
    }
  })
  test("the client holds another → 200; the answer has changed → 200 with another tag", async () => {
    const etag = await etagOf("/note")
    expect((await ask("/note", { "if-none-match": '"other"' })).status).toBe(200)
    text = "two"
    const changed = await ask("/note", { "if-none-match": etag })
    expect([changed.status, changed.body]).toEqual([200, '{"text":"two"}'])
    expect(changed.headers.etag).not.toBe(etag)
    text = "one"
  })
  test("HEAD → the same fields without the body, and 304", async () => {
    const etag = await etagOf("/note")
    const head = await ask("/note", {}, "HEAD")
    expect([head.status, head.body, head.headers.etag, head.headers["content-length"]]).toEqual([200, "", etag, "14"])
    expect((await ask("/note", { "if-none-match": etag }, "HEAD")).status).toBe(304)
  })
  test("without etag → no version, never kept", async () => {
    const { headers, status } = await ask("/plain", { "if-none-match": "*" })
    expect([status, headers.etag, headers["cache-control"]]).toEqual([200, undefined, "no-store"])
  })
  test("a version that the backend names → the same field, honoured, not kept by browsers", async () => {
    const { headers } = await ask("/named")
    expect([headers.etag, headers["cache-control"]]).toEqual(['"v7"', "no-store"])
    expect((await ask("/named", { "if-none-match": '"v7"' })).status).toBe(304)
    expect((await ask("/named", { "if-none-match": '"v6"' })).status).toBe(200)
  })
  test("a version that no field can carry → left out", async () => {
    const { status, headers } = await ask("/odd")
    expect([status, headers.etag, headers.x]).toEqual([200, undefined, undefined])
  })
  test("an error → no version, whatever the client holds", async () => {
    const { status, headers } = await ask("/gone", { "if-none-match": "*" })
    expect([status, headers.etag, headers["cache-control"]]).toEqual([404, undefined, "no-store"])
  })
  test("a write → its version, and never 304", async () => {
    const { status, headers } = await ask("/named", { "if-none-match": '"v8"', "content-length": "0" }, "PUT")
    expect([status, headers.etag]).toEqual([200, '"v8"'])
  })
  test("a write that does not know versions → refused, for it would overwrite what its caller wanted to spare", async () => {
    const etag = await etagOf("/note")
    for (const expected of [etag, "*", '"other"']) {
      const { status, body } = await ask("/note", { "if-match": expected, "content-length": "0" }, "PUT")
      expect([status, JSON.parse(body).code]).toEqual([412, "PRECONDITION_FAILED"])
    }
    expect(await createClient<typeof app>({ url }).set.safe({}, { ifMatch: etag })).toMatchObject({ code: "PRECONDITION_FAILED" })
    expect(await running.internal().set.safe({}, { ifMatch: etag })).toMatchObject({ code: "PRECONDITION_FAILED" })
    expect(written).toBe(0)
    await running.internal().set({})
    expect(written).toBe(1)
  })
  test("fetch without a port → the same", async () => {
    const etag = await etagOf("/note")
    const reply = await running.fetch(new Request("http://app/note", { headers: { "if-none-match": etag } }))
    expect([reply.status, reply.headers.get("etag"), await reply.text()]).toEqual([304, etag, ""])
  })
  test("the typed client: → hears of the version, and expects one", async () => {
    const api = createClient<typeof app>({ url })
    const { value, meta } = await api.named.detailed({})
    expect([value.text, meta.etag]).toEqual(["one if undefined", '"v7"'])
    expect((await api.get.safe({})) as object).toMatchObject({ meta: { etag: await etagOf("/note") } })
    expect(await api.put({}, { ifMatch: meta.etag! })).toEqual({ text: 'one if "v7"' })
  })
  test("in process: → the same versions", async () => {
    expect((await running.internal().named.detailed({})).meta.etag).toBe('"v7"')
  })
})
