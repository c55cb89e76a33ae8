// A service that keeps versions of its records: what our callers expect is for it to compare.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { createClient } from "../../src/client/index.ts"
import { anyone, op, type Running, rest, trestle } from "../../src/index.ts"
import { rememberingLog } from "../../src/testing/stand-ins.ts"

let version = 1
let tag = (): string => `"v${version}"`
let losesAnswers = 0
const expected: (string | undefined)[] = []

const service = createServer((request, response) => {
  const expectation = request.headers["if-match"]
  if (request.method === "PUT") {
    expected.push(expectation)
    if (expectation !== undefined && expectation !== tag()) return void response.writeHead(412).end()
    version++
    if (losesAnswers-- > 0) return void request.socket.destroy()
  }
  response.writeHead(200, { etag: tag(), "content-type": "application/json" }).end(JSON.stringify({ text: `of version ${version}` }))
})

let running: Running<any>
let inside: any
let client: any
let url = ""

beforeAll(async () => {
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve))
  const notes = rest({ url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`, name: "notes", policy: { breaker: false } })
  const open = { input: z.object({ id: z.string() }), output: z.object({ text: z.string() }), allow: anyone("a test"), anyObject: "a test" }
  const app = trestle({
    name: "versions",
    ops: {
      get: op({ http: "GET /notes/{id}", ...open }).via(notes.call("GET /notes/{id}", { versions: true })),
      put: op({ http: "PUT /notes/{id}", ...open }).via(notes.call("PUT /notes/{id}", { versions: true })),
      blind: op({ http: "PUT /blind/{id}", ...open }).via(notes.call("PUT /notes/{id}")),
    },
  })
  running = await startApp(app, { log: rememberingLog([]) })
  inside = running.internal()
  url = (await running.listen({ port: 0 })).url
  client = createClient<typeof app>({ url })
})
afterAll(async () => {
  await running.close()
  service.close()
})
beforeEach(() => {
  version = 1
  losesAnswers = 0
  tag = () => `"v${version}"`
  expected.length = 0
})

describe("rest with versions", () => {
  test("a read: names the service's version, and is not sent again to who holds it", async () => {
    expect((await client.get.detailed({ id: "7" })).meta.etag).toBe('"v1"')
    const again = await fetch(`${url}/notes/7`, { headers: { "if-none-match": '"v1"' } })
    expect(again.status).toBe(304)
  })
  test("a weak version: is none that could be expected", async () => {
    tag = () => 'W/"v1"'
    expect((await client.get.detailed({ id: "7" })).meta.etag).toBeUndefined()
  })
  test("a write that expects the present version: is done, and names the next", async () => {
    const { meta } = await client.put.detailed({ id: "7" }, { ifMatch: '"v1"' })
    expect([meta.etag, expected]).toEqual(['"v2"', ['"v1"']])
  })
  test("a write that expects an older one: PRECONDITION_FAILED, and nothing is changed", async () => {
    version = 3
    const result = await client.put.safe({ id: "7" }, { ifMatch: '"v1"' })
    expect(result).toMatchObject({ ok: false, code: "PRECONDITION_FAILED", outcome: "answered" })
    expect(version).toBe(3)
  })
  test("a write that expects nothing: sends nothing to compare", async () => {
    await client.put({ id: "7" })
    expect(expected).toEqual([undefined])
  })
  test("a service that was not declared to compare: the write is refused before it is asked", async () => {
    expect(await client.blind.safe({ id: "7" }, { ifMatch: '"v1"' })).toMatchObject({ code: "PRECONDITION_FAILED" })
    expect(expected).toEqual([])
  })
  test("an answer that is lost, then 412: it may be in conflict with itself, so the outcome is unknown", async () => {
    losesAnswers = 1
    const result = await inside.put.safe({ id: "7" }, { ifMatch: '"v1"' })
    expect(result).toMatchObject({ ok: false, code: "OUTCOME_UNKNOWN", outcome: "unknown" })
    expect(expected).toEqual(['"v1"', '"v1"'])
  })
  test("an expectation that no header field can carry: INVALID, and nothing is sent", async () => {
    expect(await inside.put.safe({ id: "7" }, { ifMatch: '"v1"\r\nx: y' })).toMatchObject({ code: "INVALID" })
    expect(expected).toEqual([])
  })
})
