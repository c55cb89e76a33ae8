// Streams of items through a real server, and long lists of a real REST service.
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { createFileClient } from "../../src/client/files.ts"
import {
  anyone,
  asFile,
  asItems,
  asText,
  code,
  cursor,
  env,
  fallback,
  file,
  form,
  multipart,
  nextLink,
  nothing,
  offset,
  op,
  pageNumber,
  raw,
  rest,
  stream,
  trestle,
} from "../../src/index.ts"

const store = rest({ url: env("STORE_URL"), name: "store", policy: { timeout: "300ms", retry: 2, concurrency: 2 } })
const other = rest({ url: env("STORE_URL"), name: "other", replicaOf: store, policy: { retry: 0 } })
const Item = z.object({ id: z.number() })
const read = { effect: "read", input: z.object({}) } as const
const open = { http: "GET /items", allow: anyone("test") } as const
const toItem = (row: any) => ({ id: row.no })
const body = { effect: "write", input: file({ fields: z.object({ title: z.string().optional() }) }), output: z.any() } as const

const app = trestle({
  name: "streams",
  ops: {
    items: op({ ...open, input: z.object({ fail: z.number().default(-1), bad: z.number().default(-1) }), output: stream(Item) }).via(
      code(({ fail, bad }) => numbers(fail, bad)),
    ),
    lines: op({ ...read, output: stream(Item) }).via(store.call("GET /lines", { answer: asItems({ map: toItem }) })),
    array: op({ ...read, output: stream(Item) }).via(
      store.call("GET /array", { answer: asItems({ at: "rows", response: z.object({ no: z.number() }), map: toItem }) }),
    ),
    text: op({ ...read, output: z.string() }).via(store.call("GET /text", { answer: asText })),
    file: op({ ...read, output: file() }).via(store.call("GET /file", { answer: asFile })),
    missing: op({ ...read, output: file() }).via(store.call("GET /missing", { answer: asFile })),
    silent: op({ ...read, output: file() }).via(store.call("GET /silent", { answer: asFile })),
    cut: op({ ...read, output: file() }).via(store.call("GET /cut", { answer: asFile })),
    form: op({ effect: "write", input: z.object({ a: z.string() }), output: z.any() }).via(
      store.call("POST /echo", { body: form((i) => ({ a: i.a, list: ["1", "2"], none: null })) }),
    ),
    multipart: op(body).via(store.call("POST /echo", { body: multipart((i) => ({ title: i.title, file: i.file })) })),
    raw: op(body).via(store.call("PUT /echo", { body: raw((i) => i.file) })),
    busy: op({ ...body, output: nothing }).via(store.call("PUT /busy", { body: raw((i) => i.file) })),
    twice: op({ ...body, output: nothing }).via(
      fallback(store.call("PUT /busy", { body: raw((i) => i.file) }), other.call("PUT /ok", { body: raw((i) => i.file) })),
    ),
    links: op({ ...read, output: z.array(Item) }).via(store.pages("GET /links", { next: nextLink(), items: (rows) => rows.map(toItem) })),
    cursors: op({ ...read, output: stream(Item) }).via(
      store.pages("GET /cursors", { next: cursor("after", (reply) => reply.next), items: (reply) => reply.rows.map(toItem) }),
    ),
    numbers: op({ ...read, output: z.array(Item) }).via(
      store.pages("GET /numbers", { next: pageNumber("page", { size: 2 }), items: (rows) => rows.map(toItem) }),
    ),
    offsets: op({ ...read, output: z.array(Item) }).via(
      store.pages("GET /offsets", { next: offset("skip"), items: (rows) => rows.map(toItem) }),
    ),
    abroad: op({ ...read, output: z.array(Item) }).via(store.pages("GET /abroad", { next: nextLink(), items: (rows) => rows.map(toItem) })),
    loop: op({ ...read, output: z.array(Item) }).via(
      store.pages("GET /loop", { next: cursor("after", (reply) => reply.next), items: () => [{ id: 1 }] }),
    ),
    many: op({ ...read, output: z.array(Item) }).via(
      store.pages("GET /loop", { next: pageNumber("page"), items: () => [{ id: 1 }], pagesMax: 5 }),
    ),
  },
})

async function* numbers(fail: number, bad: number): AsyncGenerator<{ id: number }> {
  for (let id = 0; id < 4; id++) {
    if (id === fail) throw new TypeError("no more")
    yield { id: id === bad ? ("x" as never) : id, secret: "not declared" } as never
  }
}

// -- the service ------------------------------------------------------------------------------------------------
const rows = (...ids: number[]): object[] => ids.map((no) => ({ no, more: "x" }))
let heard: string[] = []
let busyTimes = 0
let closed: Promise<unknown> | null = null

function json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value))
}

const routes: Record<string, (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => unknown> = {
  "/lines": (_, response) => {
    response.writeHead(200, { "content-type": "application/x-ndjson" })
    for (const row of rows(1, 2, 3)) response.write(`${JSON.stringify(row)}\n`)
    response.end()
  },
  "/array": (_, response) => {
    const text = JSON.stringify(
      { note: 'a "quoted, [rows]: {text"', nested: { rows: [{ no: 9 }] }, rows: rows(1, 2, 3), total: 3 },
      null,
      2,
    )
    response.writeHead(200, { "content-type": "application/json" })
    // Cut anywhere, within names, numbers and texts.
    for (const letter of text) response.write(letter)
    response.end()
  },
  "/text": (_, response) => response.writeHead(200, { "content-type": "text/plain" }).end("plain text"),
  "/file": (_, response) =>
    response.writeHead(200, { "content-type": "image/png", "content-disposition": 'inline; filename="a.png"' }).end("abc"),
  "/missing": (_, response) => response.writeHead(404).end("x".repeat(100)),
  "/silent": (_, response) => {
    closed = once(response, "close")
    response.writeHead(200).write("abc")
  },
  "/cut": (_, response) => {
    response.writeHead(200, { "content-length": "1000" }).write("abc", () => response.destroy())
  },
  "/echo": async (request, response) => {
    const { "content-type": type, "content-length": length } = request.headers
    json(response, { method: request.method, type, length, text: Buffer.concat(await request.toArray()).toString() })
  },
  "/busy": async (request, response) => {
    busyTimes++
    await request.toArray()
    response.writeHead(429).end()
  },
  "/ok": async (request, response) => {
    await request.toArray()
    response.writeHead(204).end()
  },
  "/links": (_, response, query) => {
    const page = Number(query.get("page") ?? 1)
    json(
      response,
      rows(page),
      page < 3 ? { link: `<http://x/other>; rel="prev", </v1/links?page=${page + 1}>; title="a, b"; rel="last next"` } : {},
    )
  },
  "/cursors": (_, response, query) => {
    const after = Number(query.get("after") ?? 0)
    json(response, { rows: rows(after * 2, after * 2 + 1), next: after < 2 ? after + 1 : null })
  },
  "/numbers": (_, response, query) => json(response, query.get("page") === "3" ? rows(5) : rows(1, 2)),
  "/offsets": (_, response, query) => json(response, query.get("skip") === "4" ? [] : rows(1, 2)),
  "/abroad": (_, response) => json(response, rows(1), { link: `<https://evil.example/steal>; rel=next` }),
  "/loop": (_, response) => json(response, { next: "again" }),
}

const service = createServer(async (request, response) => {
  const [path = "", query] = request.url!.slice("/v1".length).split("?")
  heard.push(request.url!)
  try {
    await routes[path]!(request, response, new URLSearchParams(query))
  } catch {
    // The request was cut short.
  }
})

let running: Awaited<ReturnType<typeof app.start>>
let url: string
beforeAll(async () => {
  service.listen(0, "127.0.0.1")
  await once(service, "listening")
  process.env.STORE_URL = `http://127.0.0.1:${(service.address() as AddressInfo).port}/v1`
  process.env.TRESTLE_LOG = "silent"
  running = await app.start()
  url = (await running.listen({ port: 0 })).url
})
beforeEach(() => {
  heard = []
  busyTimes = 0
})
afterAll(async () => {
  await running.close()
  service.close()
  service.closeAllConnections()
})

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
const ids = (...found: number[]): object[] => found.map((id) => ({ id }))
async function* once_(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

describe("a stream over HTTP", () => {
  test("lines of JSON, without what is not declared", async () => {
    const reply = await fetch(`${url}/items`)
    expect(reply.headers.get("content-type")).toBe("application/x-ndjson")
    expect(await reply.text()).toBe('{"id":0}\n{"id":1}\n{"id":2}\n{"id":3}\n')
  })
  test("server-sent events for who asks for them; a failure is an event too", async () => {
    const reply = await fetch(`${url}/items?fail=1`, { headers: { accept: "text/event-stream" } })
    expect(reply.headers.get("content-type")).toBe("text/event-stream")
    const [first, error] = (await reply.text()).split("\n\n")
    expect(first).toBe('data: {"id":0}')
    expect(error).toMatch(/^event: error\ndata: \{.*"code":"INTERNAL"/)
    expect(error).not.toContain("no more")
  })
  test.each(["fail=0", "bad=0"])("%s: fails at the first item → a problem", async (query) => {
    const reply = await fetch(`${url}/items?${query}`)
    expect([reply.status, ((await reply.json()) as any).code]).toEqual([500, "INTERNAL"])
  })
  test.each(["fail=2", "bad=2"])("%s: fails later → the lines so far, then a connection that breaks", async (query) => {
    const reply = await fetch(`${url}/items?${query}`)
    const seen: string[] = []
    const reading = (async () => {
      for await (const chunk of reply.body!) seen.push(Buffer.from(chunk).toString())
    })()
    await expect(reading).rejects.toThrow("terminated")
    expect(seen.join("")).toBe('{"id":0}\n{"id":1}\n')
  })
  test("the typed client: an AsyncIterable; what breaks off throws", async () => {
    const api = createFileClient<typeof app>({ url })
    expect(await all(await api.items({}))).toEqual(ids(0, 1, 2, 3))
    await expect(all(await api.items({ fail: 2 }))).rejects.toMatchObject({ name: "ClientError", code: "UNAVAILABLE" })
  })
  test("in process: the same items; the call ends with them, or when its reader has enough", async () => {
    expect(await all(await running.internal().items({}))).toEqual(ids(0, 1, 2, 3))
    for await (const item of await running.internal().items({})) {
      expect(item).toEqual({ id: 0 })
      break
    }
    await expect(all(await running.internal().items({ bad: 1 }))).rejects.toMatchObject({ code: "INTERNAL" })
  })
})

describe("answers of a REST service, read while they come", () => {
  test("lines → items, mapped", async () => {
    expect(await all(await running.internal().lines({}))).toEqual(ids(1, 2, 3))
  })
  test("one array in a field, cut anywhere → items, checked and mapped", async () => {
    expect(await all(await running.internal().array({}))).toEqual(ids(1, 2, 3))
  })
  test("text", async () => expect(await running.internal().text({})).toBe("plain text"))
  test("a file → with its name, type and bytes", async () => {
    const found = await running.internal().file({})
    expect([found.name, found.type, Buffer.from(await found.bytes()).toString()]).toEqual(["a.png", "image/png", "abc"])
  })
  test("a status that is an error → that error, and the place is free again", async () => {
    for (let i = 0; i < 5; i++) await expect(running.internal().missing({})).rejects.toMatchObject({ code: "NOT_FOUND" })
  })
  test("nothing comes for as long as an attempt may take → TIMEOUT, and the connection is closed", async () => {
    const found = await running.internal().silent({})
    await expect(found.bytes()).rejects.toMatchObject({ reason: "timeout-sent" })
    await closed
  })
  test("an answer that breaks off → connection-lost", async () => {
    const found = await running.internal().cut({})
    await expect(found.bytes()).rejects.toMatchObject({ reason: "connection-lost" })
  })
  test("answers that nobody reads hold a place until their call ends", async () => {
    const held = await Promise.all([
      running.internal().silent({}, { deadline: "150ms" }),
      running.internal().silent({}, { deadline: "150ms" }),
    ])
    const text = running.internal().text({})
    expect(await Promise.race([text, new Promise((resolve) => setTimeout(resolve, 50, "waits"))])).toBe("waits")
    expect(await text).toBe("plain text")
    for (const one of held) await expect(one.bytes()).rejects.toMatchObject({ code: "TIMEOUT" })
  })
})

describe("bodies for a REST service", () => {
  const given = { content: once_("hello"), type: "text/plain", name: 'a"b.txt' }

  test("form → fields, a list repeats its field", async () => {
    expect(await running.internal().form({ a: "ä &" })).toMatchObject({
      type: "application/x-www-form-urlencoded",
      text: "a=%C3%A4+%26&list=1&list=2",
    })
  })
  test("raw, a stream → its type, in chunks; bytes → with their length", async () => {
    expect(await running.internal().raw({ file: { ...given, content: once_("hello") } })).toEqual({
      method: "PUT",
      type: "text/plain",
      text: "hello",
    })
    expect(await running.internal().raw({ file: Buffer.from("hello") })).toMatchObject({ length: "5", text: "hello" })
  })
  test("multipart → a form that any server reads, with its length where all sizes are known", async () => {
    const echoed = (await running.internal().multipart({ title: "T", file: { ...given, content: Buffer.from("hello") } })) as any
    expect(Number(echoed.length)).toBe(echoed.text.length)
    const read = await new Response(echoed.text, { headers: { "content-type": echoed.type } }).formData()
    const part = read.get("file") as File
    expect([read.get("title"), part.name, part.type, await part.text()]).toEqual(["T", "ab.txt", "text/plain", "hello"])
  })
  test("429 after a stream was read → it is not sent again; bytes are", async () => {
    await expect(running.internal().busy({ file: once_("x") })).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    expect(busyTimes).toBe(1)
    await expect(running.internal().busy({ file: Buffer.from("x") })).rejects.toMatchObject({ reason: "rate-limited" })
    expect(busyTimes).toBe(4)
  })
  test("a replica after the stream was read → refused, and never a part of the file", async () => {
    await expect(running.internal().twice({ file: once_("x") })).rejects.toMatchObject({ reason: "body-spent", outcome: "refused" })
    expect(heard).toEqual(["/v1/busy"])
    heard = []
    await running.internal().twice({ file: Buffer.from("x") })
    expect(heard.at(-1)).toBe("/v1/ok")
  })
  test("a source that fails in the middle → its own error, outcome unknown, and the service is not blamed", async () => {
    const failing = (async function* () {
      yield Buffer.from("x")
      throw new TypeError("the disk is gone")
    })()
    await expect(running.internal().raw({ file: failing })).rejects.toMatchObject({ code: "INTERNAL", outcome: "unknown" })
  })
})

describe("a list page by page", () => {
  test("links of the same service", async () => {
    expect(await running.internal().links({})).toEqual(ids(1, 2, 3))
    expect(heard.filter((path) => path !== "/v1/echo")).toEqual(["/v1/links", "/v1/links?page=2", "/v1/links?page=3"])
  })
  test("a cursor, as a stream: a page is asked for when its items are wanted", async () => {
    const items = await running.internal().cursors({})
    expect(heard).toEqual(["/v1/cursors"])
    expect(await all(items)).toEqual(ids(0, 1, 2, 3, 4, 5))
    expect(heard).toHaveLength(3)
  })
  test("numbers, until a page is short", async () => {
    expect(await running.internal().numbers({})).toEqual(ids(1, 2, 1, 2, 5))
  })
  test("offsets, until a page is empty", async () => {
    expect(await running.internal().offsets({})).toEqual(ids(1, 2, 1, 2))
  })
  test.each([
    ["abroad", "leads to another place"],
    ["loop", "leads back"],
    ["many", "more than 5 pages"],
  ] as const)("%s: a list that would have to be cut short fails: it %s", async (name, why) => {
    await expect(running.internal()[name]({})).rejects.toMatchObject({ note: expect.stringContaining(why) })
    expect(heard.every((path) => path.startsWith("/v1/"))).toBe(true)
  })
})
