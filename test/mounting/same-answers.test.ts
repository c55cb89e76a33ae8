import { anyone, code, file, nothing, op, type Running, role, signedIn, stream, trestle } from "trestle"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { type Asked, ask, badges, MOUNTINGS, type Mounting, type Told } from "./mountings.ts"

const Note = z.object({ id: z.string(), text: z.string() })
const app = trestle({
  name: "mounted",
  authenticate: [badges],
  defaults: { bodyLimit: "1kb" },
  ops: {
    root: op({ http: "GET /", input: nothing, output: z.string(), allow: anyone("a test") }).via(code(() => "root")),
    open: op({ http: "GET /open", input: nothing, output: z.string(), allow: anyone("a test") }).via(code(() => "grüße")),
    search: op({
      http: "GET /search",
      input: z.object({ q: z.string().optional(), page: z.int().default(1), tag: z.array(z.string()).optional() }),
      output: z.any(),
      allow: anyone("a test"),
    }).via(code((input) => input)),
    notes: {
      show: op({ http: "GET /notes/{id}", input: Note.pick({ id: true }), output: z.any(), allow: signedIn(), anyObject: "a test" }).via(
        code((input) => input),
      ),
      replace: op({ http: "PUT /notes/{id}", input: Note, output: Note, allow: role("writer"), anyObject: "a test" }).via(code((i) => i)),
      remove: op({
        http: "DELETE /notes/{id}",
        input: Note.pick({ id: true }),
        output: nothing,
        allow: role("writer"),
        anyObject: "a test",
        deprecated: { sunset: "2999-01-31", since: "2026-10-01" },
      }).via(code(() => {})),
      add: op({ http: "POST /notes", input: Note, output: Note, errors: { FULL: 409 }, allow: role("writer"), anyObject: "a test" }).via(
        code((i, ctx) => (i.text === "full" ? ctx.fail("FULL") : i)),
      ),
      throws: op({ http: "POST /throws", input: nothing, output: nothing, allow: anyone("a test") }).via(
        code(() => {
          throw new Error("inside")
        }),
      ),
    },
    files: {
      upload: op({
        http: "POST /files",
        input: file({ limit: "2kb", types: ["text/plain"], fields: z.object({ name: z.string() }) }),
        output: z.any(),
        allow: role("writer"),
      }).via(
        code(async ({ name, file }) => {
          let bytes = 0
          for await (const chunk of file.stream()) bytes += chunk.length
          return { name, bytes }
        }),
      ),
      download: op({ http: "GET /file", input: nothing, output: file(), allow: anyone("a test") }).via(
        code(() => ({ content: new TextEncoder().encode("grüße".repeat(1_000)), name: "grüße.txt", type: "text/plain" })),
      ),
      lines: op({ http: "GET /lines", input: nothing, output: stream(z.object({ n: z.number() })), allow: anyone("a test") }).via(
        code(() => [{ n: 1 }, { n: 2 }]),
      ),
    },
    versioned: op({ http: "GET /versioned", input: nothing, output: z.string(), allow: anyone("a test"), etag: true }).via(code(() => "v")),
    inside: op({ effect: "read", input: nothing, output: z.string() }).via(code(() => "in")),
  },
})

const writer = { "x-badge": "writer" }
const json = (value: unknown, more: Record<string, string> = {}): Pick<Asked, "headers" | "body"> => {
  const body = typeof value === "string" ? value : JSON.stringify(value)
  return { headers: { ...writer, "content-type": "application/json", ...more }, body }
}
const NOTE = { id: "1", text: "hello" }

const TABLE: Readonly<Record<string, Asked & { status: number }>> = {
  "200 at the root": { path: "/", status: 200 },
  "200 with text beyond ASCII": { path: "/open", status: 200 },
  "200 from the query": { path: "/search?q=a%20b&page=2&tag=x&tag=y+z", status: 200 },
  "200 with a query whose escape is none": { path: "/search?q=%zz", status: 200 },
  "200 for a parameter with a slash in it": { path: "/notes/a%2Fb%20c", headers: writer, status: 200 },
  "200 for a parameter of 512 letters": { path: `/notes/${"x".repeat(512)}`, headers: writer, status: 200 },
  "200 over rpc": { method: "POST", path: "/rpc/notes.show", ...json({ id: "7" }), status: 200 },
  "201 from a body": { method: "POST", path: "/notes", ...json(NOTE), status: 201 },
  "201 from a body in chunks": { method: "POST", path: "/notes", ...json(NOTE, { "transfer-encoding": "chunked" }), status: 201 },
  "200 from path and body": { method: "PUT", path: "/notes/9", ...json({ text: "new" }), status: 200 },
  "204 and announcements": { method: "DELETE", path: "/notes/9", headers: writer, status: 204 },
  "409 of the operation's own": { method: "POST", path: "/notes", ...json({ id: "1", text: "full" }), status: 409 },
  "400 for an unknown field": { method: "POST", path: "/notes", ...json({ ...NOTE, admin: true }), status: 400 },
  "400 for no JSON": { method: "POST", path: "/notes", ...json('{"id":'), status: 400 },
  "400 for __proto__": { method: "POST", path: "/notes", ...json('{"id":"1","text":"x","__proto__":{}}'), status: 400 },
  "400 for 40 levels": { method: "POST", path: "/notes", ...json(`${"[".repeat(40)}${"]".repeat(40)}`), status: 400 },
  "400 for a copy that differs": { method: "PUT", path: "/notes/9", ...json(NOTE), status: 400 },
  "400 for a field in the query": { path: "/search?nothing=1", status: 400 },
  "400 for an address that is none": { path: "/notes/%zz", headers: writer, status: 400 },
  "401 without a credential": { path: "/notes/1", status: 401 },
  "401 with a bad one": { path: "/notes/1", headers: { "x-badge": "forged" }, status: 401 },
  "401 with one of no kind": { path: "/notes/1", headers: { authorization: "Bearer x" }, status: 401 },
  "403 for another role": { method: "POST", path: "/notes", ...json(NOTE, { "x-badge": "reader" }), status: 403 },
  "404 for an internal operation": { method: "POST", path: "/rpc/inside", ...json({}), status: 404 },
  "404 for an operation that is not there": { method: "POST", path: "/rpc/none", ...json({}), status: 404 },
  "404 for an address that is nobody's": { path: "/nowhere", status: 404 },
  "404 for another case": { path: "/Open", status: 404 },
  "404 for a slash too many": { path: "/open/", status: 404 },
  "404 for a parameter of 513 letters": { path: `/notes/${"x".repeat(513)}`, headers: writer, status: 404 },
  "405 for another method": { method: "PATCH", path: "/notes/1", headers: writer, status: 405 },
  "405 for GET at rpc": { path: "/rpc/notes.show", status: 405 },
  "405 for OPTIONS": { method: "OPTIONS", path: "/notes", status: 405 },
  "413 by its length": { method: "POST", path: "/notes", ...json({ id: "1", text: "x".repeat(2_000) }), status: 413 },
  "413 by what comes": {
    method: "POST",
    path: "/notes",
    ...json({ id: "1", text: "x".repeat(2_000) }, { "transfer-encoding": "chunked" }),
    status: 413,
  },
  "415 for a form": {
    method: "POST",
    path: "/notes",
    ...json("id=1", { "content-type": "application/x-www-form-urlencoded" }),
    status: 415,
  },
  "415 for no type": { method: "POST", path: "/notes", headers: writer, body: "{}", status: 415 },
  "415 for a type that is none": { method: "POST", path: "/notes", ...json(NOTE, { "content-type": "nonsense" }), status: 415 },
  "415 for a coding": { method: "POST", path: "/notes", ...json(NOTE, { "content-encoding": "gzip" }), status: 415 },
  "502 for a throw of a write": { method: "POST", path: "/throws", status: 502 },
  "201 for a file": { method: "POST", path: "/files?name=a", headers: { ...writer, "content-type": "text/plain" }, body: "x", status: 201 },
  "413 for a file, while it comes": {
    method: "POST",
    path: "/files?name=a",
    headers: { ...writer, "content-type": "text/plain", "transfer-encoding": "chunked" },
    body: "x".repeat(3_000),
    status: 413,
  },
  "415 for a file of another type": {
    method: "POST",
    path: "/files?name=a",
    headers: { ...writer, "content-type": "image/png" },
    body: "x",
    status: 415,
  },
  "401 for a file of a stranger": {
    method: "POST",
    path: "/files?name=a",
    headers: { "content-type": "text/plain" },
    body: "x",
    status: 401,
  },
  "200 with a file": { path: "/file", status: 200 },
  "HEAD of a file": { method: "HEAD", path: "/file", status: 200 },
  "200 line by line": { path: "/lines", status: 200 },
  "200 event by event": { path: "/lines", headers: { accept: "text/event-stream" }, status: 200 },
  "200 with a version": { path: "/versioned", status: 200 },
  "304 for the same version": { path: "/versioned", headers: { "if-none-match": "*" }, status: 304 },
  "HEAD of an operation": { method: "HEAD", path: "/open", status: 200 },
  "HEAD of a refusal": { method: "HEAD", path: "/notes/1", status: 401 },
  "the documents page": { path: "/docs", status: 200 },
  "HEAD of the documents page": { method: "HEAD", path: "/docs", status: 200 },
  liveness: { path: "/health/live", status: 200 },
  readiness: { path: "/health/ready", status: 200 },
  "POST at a probe": { method: "POST", path: "/health/live", status: 404 },
}

/** Of the connection, and so of the server that holds it. */
const OF_THE_SERVER = ["date", "connection", "keep-alive", "transfer-encoding"]

/** Everything that an answer says, without what chance decides. */
function said({ status, headers, body }: Told): unknown {
  const kept = Object.entries(headers).filter(([name]) => !OF_THE_SERVER.includes(name))
  const text = JSON.stringify({ status, headers: Object.fromEntries(kept.sort()), body })
  return JSON.parse(text.replace(/nonce(-|=\\")[0-9a-f]{32}/g, "nonce$1…").replace(/"ms\\":[\d.]+/g, '"ms\\":0'))
}

describe.each(Object.keys(MOUNTINGS).filter((name) => name !== "standalone"))("%s", (name) => {
  let running: Running<any>
  let standalone: Mounting
  let mounting: Mounting
  beforeAll(async () => {
    process.env.TRESTLE_LOG = "silent"
    running = await app.start()
    standalone = await MOUNTINGS.standalone!(running)
    mounting = await MOUNTINGS[name]!(running)
  })
  afterAll(async () => {
    await mounting.close()
    await running.close()
  })
  // The trace is the caller's, so that all answers have the same.
  const traced = ({ headers, ...asked }: Asked): Asked => ({
    ...asked,
    headers: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ...headers },
  })

  // Before Fastify asks anybody, its own router refuses these, in its own form.
  const refusedByFastify = ["400 for an address that is none", "404 for a parameter of 513 letters"]
  const comparable = Object.entries(TABLE).filter(([what]) => name !== "Fastify plugin" || !refusedByFastify.includes(what))
  test.each(comparable)("%s → as on Trestle's own server", async (_, { status, ...asked }) => {
    const own = await ask(standalone, traced(asked))
    expect(own.status).toBe(status)
    expect(said(await ask(mounting, traced(asked)))).toEqual(said(own))
  })

  test("the OpenAPI document → the same, and where it is found", async () => {
    const own = JSON.parse((await ask(standalone, { path: "/openapi.json" })).body)
    const theirs = JSON.parse((await ask(mounting, { path: "/openapi.json" })).body)
    // Hono's mount takes the prefix away and tells nobody.
    expect(theirs).toEqual(name === "Hono's mount" ? own : { ...own, servers: [{ url: "/api" }] })
    expect(own.servers).toBeUndefined()
  })

  test("a credential given twice → proves nothing, whichever of the two would hold", async () => {
    const given = (...tokens: string[]): Promise<Told> => {
      const headers = ["host", "a.test", ...tokens.flatMap((token) => ["authorization", `Bearer ${token}`])]
      return ask(mounting, { path: "/notes/1", headers: headers as never })
    }
    expect((await given("writer")).status).toBe(200)
    expect((await given("writer", "other")).status).toBe(401)
    expect((await given("other", "writer")).status).toBe(401)
  })
})
