// The host's server may speak HTTP/2, where a body has no length and no chunks, and one stream can end without the others.
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from "node:http2"
import type { AddressInfo } from "node:net"
import { fastify } from "fastify"
import type { Running } from "trestle"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parsed } from "./parsed-app.ts"

const host = fastify({ http2: true })
let running: Running<any>
let session: ClientHttp2Session
beforeAll(async () => {
  process.env.TRESTLE_LOG = "silent"
  running = await parsed.start()
  await host.register(running.plugin(), { prefix: "/api" })
  await host.listen({ port: 0 })
  session = connect(`http://127.0.0.1:${(host.server.address() as AddressInfo).port}`)
})
afterAll(async () => {
  session.close()
  await host.close()
})

function ask(headers: OutgoingHttpHeaders, body?: string): Promise<{ status: number; json: any }> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers)
    let status = 0
    let text = ""
    stream.on("response", (head) => {
      status = head[":status"]!
    })
    stream.on("data", (chunk) => {
      text += chunk
    })
    stream.on("error", reject).on("close", () => resolve({ status, json: JSON.parse(text) }))
    stream.end(body)
  })
}

describe("the Fastify plugin over HTTP/2", () => {
  const add = { ":method": "POST", ":path": "/api/notes", "content-type": "application/json" }

  test("a body without a length → read", async () => {
    expect(await ask(add, '{"text":"hi"}')).toEqual({ status: 201, json: { text: "hi" } })
  })
  test("a body with one → read", async () => {
    expect((await ask({ ...add, "content-length": 13 }, '{"text":"hi"}')).status).toBe(201)
  })
  test("no body → nothing is waited for", async () => {
    expect(await ask({ ":path": "/api/health/live" })).toEqual({ status: 200, json: { status: "live" } })
  })
  test("too much by its length → refused at once, and the session goes on", async () => {
    const large = await ask({ ...add, "content-length": 3_000_000 }, " ".repeat(3_000_000))
    expect(large).toMatchObject({ status: 413, json: { code: "TOO_LARGE" } })
    expect((await ask(add, '{"text":"hi"}')).status).toBe(201)
  })
  test("too much without a length → refused at the limit", async () => {
    expect((await ask(add, JSON.stringify({ text: "x".repeat(3_000) }))).status).toBe(413)
  })
})
