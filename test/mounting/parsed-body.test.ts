import { join } from "node:path"
import { fastify } from "fastify"
import type { Running } from "trestle"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Child, run } from "./child.ts"
import { ask, type Mounting, mounted } from "./mountings.ts"
import { parsed as app } from "./parsed-app.ts"

let running: Running<any>
const lines: object[] = []
beforeAll(async () => {
  const keep = (fields: object): void => void lines.push(fields)
  running = await app.start({ log: { info: keep, warn: keep, error: keep } })
})
afterAll(() => running.close())

const post = (text: string, type = "application/json", more: Record<string, string> = {}) => ({
  method: "POST",
  path: "/notes",
  headers: { "content-type": type, ...more },
  body: text,
})
const deep = `{"text":${"[".repeat(40)}${"]".repeat(40)}}`
const CASES = [
  ["a good body", post('{"text":"hi"}'), 201, undefined],
  ["an undeclared field", post('{"text":"hi","admin":true}'), 400, "INVALID"],
  ["__proto__", post('{"text":"hi","__proto__":{"admin":true}}'), 400, "INVALID"],
  ["constructor.prototype", post('{"text":"hi","constructor":{"prototype":{}}}'), 400, "INVALID"],
  ["40 levels", post(deep), 400, "INVALID"],
  ["a number beyond all numbers", post('{"text":"hi","n":1e999}'), 400, "INVALID"],
  ["too much, by its length", post(JSON.stringify({ text: "x".repeat(2_000) })), 413, "TOO_LARGE"],
  [
    "too much, in chunks",
    post(JSON.stringify({ text: "x".repeat(2_000) }), "application/json", { "transfer-encoding": "chunked" }),
    413,
    "TOO_LARGE",
  ],
  ["a form", post("text=hi", "application/x-www-form-urlencoded"), 415, "UNSUPPORTED_MEDIA_TYPE"],
  ["no body", { method: "POST", path: "/notes", headers: {} }, 400, "INVALID"],
] as const

describe("Express", () => {
  let child: Child
  let port: number
  beforeAll(async () => {
    child = run(join(import.meta.dirname, "express-host.ts"))
    port = (await child.until((line) => typeof line.port === "number")).port
  })
  afterAll(() => child.stop())
  const at = (prefix: string): Mounting => ({ port, prefix, close: async () => {} })

  describe.each(["/json", "/json-and-form", "/text", "/raw", "/none"])("with the parsers of %s before us", (prefix) => {
    test.each(CASES)("%s → as unread", async (_, asked, status, code) => {
      const { status: got, body } = await ask(at(prefix), asked)
      expect([got, JSON.parse(body).code]).toEqual([status, code])
    })
  })

  test("a body that was read and left nowhere → 500, and the log says what to do", async () => {
    const { status, headers } = await ask(at("/swallowed"), post('{"text":"hi"}'))
    expect(status).toBe(500)
    const line = await child.until(({ trace }) => trace === headers["x-request-id"])
    expect(line).toMatchObject({ code: "INTERNAL", note: expect.stringContaining("mount before what reads it") })
  })
})

describe("a Fastify with parsers of its own", () => {
  test.each(CASES)("%s → as ever: they stay outside", async (_, asked, status, code) => {
    const host = fastify()
    let parsed = 0
    host.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
      parsed++
      done(null, body)
    })
    await host.register(running.plugin({ close: false }), { prefix: "/api" })
    await host.listen({ port: 0 })
    const { status: got, body } = await ask(mounted(host.server), asked)
    expect([got, JSON.parse(body).code, parsed]).toEqual([status, code, 0])
    await host.close()
  })
})

describe("fetch with a body that the host has read", () => {
  const request = (): Request => new Request("http://host.test/notes", { ...post('{"text":"hi"}'), duplex: "half" } as RequestInit)

  test("given on, parsed → taken", async () => {
    const sent = request()
    const body = await sent.json()
    expect((await running.fetch(sent, { body })).status).toBe(201)
  })
  test("given on, as text → taken", async () => {
    const sent = request()
    expect((await running.fetch(sent, { body: await sent.text() })).status).toBe(201)
  })
  test("given on with a forbidden key → refused", async () => {
    expect((await running.fetch(request(), { body: JSON.parse('{"text":"hi","__proto__":{}}') })).status).toBe(400)
  })
  test("not given on → 500, and the log says what to do", async () => {
    const sent = request()
    await sent.text()
    expect((await running.fetch(sent)).status).toBe(500)
    expect(lines.at(-1)).toMatchObject({ code: "INTERNAL", note: expect.stringContaining("fetch(request, { body })") })
  })
})
