// Files through a real server: what is taken, what is refused, and what reaches the backend.
import { once } from "node:events"
import { type IncomingMessage, request } from "node:http"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { createFileClient } from "../../src/client/files.ts"
import { anyone, code, file, nothing, op, placeholder, stream, trestle } from "../../src/index.ts"
import { contractCases, testApp } from "../../src/testing/index.ts"

const MIB = 1_048_576
const About = z.object({
  id: z.string(),
  page: z.number().optional(),
  name: z.string().nullable(),
  type: z.string(),
  size: z.number().nullable(),
  bytes: z.number(),
})
let pulled = 0
let feedsEnded = 0

const app = trestle({
  name: "files",
  ops: {
    put: op({
      http: "POST /files/{id}",
      input: file({ limit: "1mb", types: ["text/*"], fields: z.object({ id: z.string(), page: z.number().optional() }) }),
      output: About,
      allow: anyone("test"),
      anyObject: "test",
    }).via(
      code(async ({ file: given, ...fields }) => {
        const { length: bytes } = await given.bytes(MIB)
        return { ...fields, name: given.name, type: given.type, size: given.size, bytes }
      }),
    ),
    ignore: op({ http: "POST /ignored", input: file(), output: nothing, allow: anyone("test") }).via(placeholder(undefined, "test")),
    get: op({ http: "GET /files", input: z.object({ name: z.string(), known: z.boolean() }), output: file(), allow: anyone("test") }).via(
      code(({ name, known }) => ({ content: known ? new Uint8Array(3) : pieces(3), name, type: "text/html" })),
    ),
    sized: op({ http: "GET /sized", input: z.object({ size: z.number() }), output: file(), allow: anyone("test") }).via(
      code(({ size }) => ({ content: pieces(2), size })),
    ),
    broken: op({ http: "GET /broken", input: z.object({ after: z.number() }), output: file(), allow: anyone("test") }).via(
      code(({ after }) => pieces(100, after)),
    ),
    endless: op({ http: "GET /endless", input: z.object({}), output: file(), allow: anyone("test") }).via(code(() => endless())),
    echo: op({ http: "POST /echo", input: file(), output: file(), allow: anyone("test") }).via(code((i) => i.file)),
    lines: op({ http: "POST /lines", input: file(), output: stream(z.object({ bytes: z.number() })), allow: anyone("test") }).via(
      code((i) => sizes(i.file.stream())),
    ),
    feed: op({ http: "GET /feed", input: z.object({}), output: stream(z.any()), allow: anyone("test") }).via(code(() => feed())),
  },
})

/** Two items, the second of which JSON has no value for; then nothing for ever. */
function feed(): AsyncIterable<unknown> {
  const given = [1, undefined]
  const source = {
    next: () => (given.length > 0 ? Promise.resolve({ done: false, value: given.shift() }) : new Promise<never>(() => {})),
    return: () => {
      feedsEnded++
      return Promise.resolve({ done: true, value: undefined })
    },
  }
  return { [Symbol.asyncIterator]: () => source }
}

async function* pieces(count: number, brokenAfter = Infinity): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    if (i >= brokenAfter) throw new TypeError("the disk is gone")
    yield new Uint8Array(1_000)
  }
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) {
    pulled++
    yield new Uint8Array(65_536)
  }
}

async function* sizes(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ bytes: number }> {
  for await (const { length: bytes } of chunks) yield { bytes }
}

let running: Awaited<ReturnType<typeof app.start>>
let url: string
beforeAll(async () => {
  process.env.TRESTLE_LOG = "silent"
  running = await app.start()
  url = (await running.listen({ port: 0 })).url
})
afterAll(() => running.close())

const api = () => createFileClient<typeof app>({ url })
const post = (
  path: string,
  body: string | Uint8Array | FormData | ReadableStream,
  headers: Record<string, string> = {},
): Promise<Response> => fetch(url + path, { method: "POST", body, headers: { ...headers }, duplex: "half" } as RequestInit)
const text = { "content-type": "text/plain" }

function formOf(...parts: readonly [string, string | Blob, string?][]): FormData {
  const form = new FormData()
  for (const [name, value, fileName] of parts)
    if (value instanceof Blob) form.append(name, value, fileName)
    else form.append(name, value)
  return form
}
const hello = new Blob(["hello"], { type: "text/plain" })

describe("a file as the whole body", () => {
  test("taken, with its fields from path and query, and a name without a path", async () => {
    const reply = await post("/files/7?page=2", "hello", { ...text, "content-disposition": `attachment; filename="../../etc/pass wd"` })
    expect([reply.status, await reply.json()]).toEqual([201, { id: "7", page: 2, name: "pass wd", type: "text/plain", size: 5, bytes: 5 }])
  })
  test.each([
    ["a field that is unknown", "/files/7?color=red", "color"],
    ["a field of a wrong type", "/files/7?page=two", "page"],
    ["the path's field in the query too", "/files/7?id=8", "id"],
    ["the file in the query", "/files/7?file=x", "file"],
  ])("%s → 400 that names it", async (_, path, name) => {
    const reply = await post(path, "hello", text)
    expect([reply.status, ((await reply.json()) as any).issues[0].path]).toEqual([400, name])
  })
  test("no body at all → 400 that names the file", async () => {
    const reply = await fetch(`${url}/files/7`, { method: "POST" })
    expect([reply.status, ((await reply.json()) as any).issues[0].path]).toEqual([400, "file"])
  })
  test("an empty file → a file of 0 bytes", async () => {
    const reply = await post("/files/7", "", text)
    expect((await reply.json()) as any).toMatchObject({ size: 0, bytes: 0 })
  })
  test("another type → 415", async () => {
    expect((await post("/files/7", "hello", { "content-type": "image/png" })).status).toBe(415)
  })
  test("compressed → 415", async () => {
    expect((await post("/files/7", "hello", { ...text, "content-encoding": "gzip" })).status).toBe(415)
  })
  test("too large by its own word → 413", async () => {
    expect((await post("/files/7", new Uint8Array(MIB + 1), text)).status).toBe(413)
  })
  test("too large without a word → 413 while it comes", async () => {
    const reply = await post("/files/7", ReadableStream.from(pieces(2_000)), text)
    expect([reply.status, ((await reply.json()) as any).code]).toEqual([413, "TOO_LARGE"])
  })
  test("exactly as large as it may be → taken", async () => {
    expect(await (await post("/files/7", new Uint8Array(MIB), text)).json()).toMatchObject({ bytes: MIB })
  })
  test("a backend that does not read it → the answer, after the whole file, on a connection that goes on", async () => {
    expect((await post("/ignored", new Uint8Array(8 * MIB))).status).toBe(204)
    expect((await post("/files/7", "hello", text)).status).toBe(201)
  })
})

describe("a file in a form", () => {
  test("taken, with the fields before it", async () => {
    const reply = await post("/files/7", formOf(["page", "2"], ["file", hello, "a/b.txt"]))
    expect((await reply.json()) as any).toEqual({ id: "7", page: 2, name: "b.txt", type: "text/plain", size: null, bytes: 5 })
  })
  test.each([
    [
      "a field after the file",
      [
        ["file", hello],
        ["page", "2"],
      ],
      400,
      "page",
    ],
    [
      "two files",
      [
        ["file", hello],
        ["file", hello],
      ],
      400,
      "file",
    ],
    ["a file under another name", [["picture", hello]], 400, "picture"],
    ["no file", [["page", "2"]], 400, "file"],
    [
      "a field that is unknown",
      [
        ["color", "red"],
        ["file", hello],
      ],
      400,
      "color",
    ],
    [
      "a field that is too long",
      [
        ["page", "2".repeat(70_000)],
        ["file", hello],
      ],
      400,
      "page",
    ],
    ["too many fields", [...Array.from({ length: 101 }, () => ["page", "2"] as const), ["file", hello]], 400, ""],
    ["a file of another type", [["file", new Blob(["x"], { type: "image/png" })]], 415, undefined],
    ["a file that is too large", [["file", new Blob([new Uint8Array(MIB + 1)], { type: "text/plain" })]], 413, undefined],
  ] as const)("%s → refused", async (_, parts, status, path) => {
    const reply = await post("/files/7", formOf(...(parts as unknown as never[])))
    const { issues } = (await reply.json()) as any
    expect([reply.status, issues?.[0]?.path]).toEqual([status, path])
  })
  test("no boundary → 400", async () => {
    expect((await post("/files/7", "x", { "content-type": "multipart/form-data" })).status).toBe(400)
  })
  test("a form that breaks off within the file → 400, and no answer of the backend", async () => {
    const body = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\ncontent-type: text/plain\r\n\r\nhel'
    const reply = await post("/files/7", body, { "content-type": "multipart/form-data; boundary=b" })
    expect([reply.status, ((await reply.json()) as any).code]).toEqual([400, "INVALID"])
  })
  test("a forbidden field name → an unknown field", async () => {
    const reply = await post("/files/7", formOf(["__proto__", "x"], ["file", hello]))
    expect([reply.status, ((await reply.json()) as any).issues[0].path]).toEqual([400, "__proto__"])
  })
})

describe("a file as an answer", () => {
  test("to be saved and not to be run, under its name", async () => {
    const reply = await fetch(`${url}/files?known=true&name=${encodeURIComponent('r\u202eésumé "1".html')}`)
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "content-type": "text/html",
      "content-length": "3",
      "content-disposition": `attachment; filename="r_sum_ 1.html"; filename*=UTF-8''r%C3%A9sum%C3%A9%201.html`,
      "content-security-policy": "sandbox",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    })
    expect((await reply.arrayBuffer()).byteLength).toBe(3)
  })
  test("of unknown size → in chunks", async () => {
    const reply = await fetch(`${url}/files?known=false&name=a`)
    expect([reply.headers.get("content-length"), (await reply.arrayBuffer()).byteLength]).toEqual([null, 3_000])
  })
  test("HEAD → the head alone", async () => {
    const reply = await fetch(`${url}/files?known=false&name=a`, { method: "HEAD" })
    expect([reply.status, reply.headers.get("content-type"), await reply.text()]).toEqual([200, "text/html", ""])
  })
  test("that fails before its first byte → a problem", async () => {
    const reply = await fetch(`${url}/broken?after=0`)
    expect([reply.status, ((await reply.json()) as any).code]).toEqual([500, "INTERNAL"])
  })
  test.each(["/broken?after=2", "/sized?size=9000"])(
    "%s: that fails later → a connection that breaks, never a whole answer",
    async (path) => {
      const reply = await fetch(url + path)
      expect(reply.status).toBe(200)
      await expect(reply.arrayBuffer()).rejects.toThrow("terminated")
    },
  )
  test("longer than was said → a problem, and not its first part", async () => {
    expect((await fetch(`${url}/sized?size=1000`)).status).toBe(500)
  })
  test("that fails later, to HTTP/1.0 → the connection is reset", async () => {
    const { connect } = await import("node:net")
    const socket = connect(Number(new URL(url).port), "127.0.0.1")
    socket.write("GET /broken?after=2 HTTP/1.0\r\n\r\n")
    socket.resume()
    const [error] = await once(socket, "error").catch((thrown) => [thrown])
    expect(error.code).toBe("ECONNRESET")
  })
  test("to a client that stops reading → no more is made than fits on the way", async () => {
    pulled = 0
    const sent = request(`${url}/endless`)
    sent.end()
    const [reply] = (await once(sent, "response")) as [IncomingMessage]
    reply.pause()
    let before = -1
    while (before !== pulled) {
      before = pulled
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(pulled * 65_536).toBeLessThan(64 * MIB)
    sent.destroy()
  })
})

describe("the typed client, and in process", () => {
  test("a Blob with its name and fields → the backend has both", async () => {
    const given = new File(["hello"], "ä.txt", { type: "text/plain" })
    expect(await api().put({ id: "7/8", page: 3, file: given })).toEqual({
      id: "7/8",
      page: 3,
      name: "ä.txt",
      type: "text/plain",
      size: 5,
      bytes: 5,
    })
  })
  test("a stream there and back", async () => {
    const back = await api().echo({ file: { content: pieces(5), name: "a.bin", type: "application/x-five" } })
    expect({ name: back.name, type: back.type, bytes: (await back.bytes()).length }).toEqual({
      name: "a.bin",
      type: "application/x-five",
      bytes: 5_000,
    })
  })
  test("refused → a ClientError with its issues", async () => {
    const failed = await api().put.safe({ id: "7", file: new Blob(["x"], { type: "image/png" }) })
    expect(failed).toMatchObject({ ok: false, code: "UNSUPPORTED_MEDIA_TYPE", outcome: "refused", status: 415 })
  })
  test("an answer that breaks off → UNAVAILABLE while it is read", async () => {
    const broken = await api().broken({ after: 2 })
    await expect(broken.bytes()).rejects.toMatchObject({ name: "ClientError", code: "UNAVAILABLE" })
  })
  test("in process: bytes there, bytes back; a second reading is refused where the first was all there was", async () => {
    const internal = running.internal()
    expect(await internal.put({ id: "7", file: hello })).toMatchObject({ size: 5, bytes: 5 })
    const back = await internal.echo({ file: pieces(2) })
    expect((await back.bytes()).length).toBe(2_000)
    await expect(back.bytes()).rejects.toMatchObject({ reason: "body-spent" })
  })
  test("in process: of another type, too large, no file → the issues of the field", async () => {
    const put = (given: unknown) => running.internal().put.safe({ id: "7", file: given as never })
    for (const given of [
      new Blob(["x"], { type: "image/png" }),
      { content: new Uint8Array(MIB + 1), type: "text/plain" },
      "text",
      undefined,
    ])
      expect(await put(given)).toMatchObject({ code: "INVALID", issues: [{ path: "file" }] })
  })
  test("through fetch: there and back while it comes", async () => {
    const sent = (path: string, count: number): Request =>
      new Request(`http://app.test${path}`, {
        method: "POST",
        headers: text,
        body: ReadableStream.from(pieces(count)),
        duplex: "half",
      } as never)
    const reply = await running.fetch(sent("/echo", 5))
    expect([reply.status, (await reply.arrayBuffer()).byteLength]).toEqual([201, 5_000])
    expect(await (await running.fetch(sent("/lines", 2))).text()).toBe('{"bytes":1000}\n{"bytes":1000}\n')
  })
})

test("an application that closes: a file on its way arrives whole", async () => {
  let go!: () => void
  const held = new Promise<void>((resolve) => {
    go = resolve
  })
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1_000)
    await held
    yield new Uint8Array(1_000)
  }
  const closing = trestle({
    name: "closing",
    ops: { get: op({ http: "GET /file", input: z.object({}), output: file(), allow: anyone("test") }).via(code(() => slow())) },
  })
  const own = await closing.start()
  const reply = await fetch(`${(await own.listen({ port: 0 })).url}/file`)
  const closed = own.close()
  go()
  expect((await reply.arrayBuffer()).byteLength).toBe(2_000)
  await closed
})

test("the record of a call: made at the last byte, with the bytes; of who leaves, as far as they came", async () => {
  const t = await testApp(app)
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await (await t.http("GET /files?known=false&name=a")).arrayBuffer()
  await settled()
  expect(t.calls().at(-1)).toMatchObject({ operation: "get", status: 200, bytes: 3_000, error: null })
  const reply = await t.http("GET /endless")
  const reader = reply.body!.getReader()
  await reader.read()
  expect(t.calls()).toHaveLength(1)
  await reader.cancel()
  await settled()
  expect(t.calls().at(-1)).toMatchObject({ operation: "endless", status: 200, bytes: 65_536, error: { code: "CANCELLED" } })
  await t.close()
})

test("a client that leaves while nothing comes: the source is ended, and the record tells how long it lasted", async () => {
  const t = await testApp(app)
  const reader = (await t.http("GET /feed")).body!.getReader()
  const read = async (): Promise<string> => Buffer.from((await reader.read()).value!).toString()
  expect(await read()).toBe("1\n")
  expect(await read()).toBe("null\n")
  await t.clock.advance("5s")
  const before = feedsEnded
  await reader.cancel()
  await new Promise((resolve) => setImmediate(resolve))
  expect(feedsEnded).toBe(before + 1)
  expect(t.calls().at(-1)).toMatchObject({ operation: "feed", meta: { ms: 5_000 }, error: { code: "CANCELLED" } })
  await t.close()
})

for (const { name, run } of contractCases(app)) test(`contract case: ${name}`, run)
