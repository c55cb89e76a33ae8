// Requests that no honest client writes: methods, framing, header fields, connections.
import { connect } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { expectHealthy, expectProblem, only } from "./kit/expectations.ts"
import { post, raw, request } from "./kit/raw.ts"
import { openWorld, ran, type World } from "./kit/world.ts"

let w: World
let K: Record<string, string>
beforeAll(async () => {
  w = await openWorld()
  K = { "x-api-key": w.key }
})
afterAll(async () => {
  await expectHealthy(w)
  await w.close()
})
const JSON_TYPE = "content-type: application/json\r\n"

describe("method", () => {
  const allowed: [string, string, string][] = [
    ["PATCH", "/things", "POST"],
    ["GET", "/things", "POST"],
    ["HEAD", "/things", "POST"],
    ["OPTIONS", "/things", "POST"],
    ["OPTIONS", "/open", "GET, HEAD"],
    ["POST", "/things/1", "GET, PUT, DELETE, HEAD"],
    ["GET", "/rpc/things.show", "POST"],
  ]
  for (const [method, path, allow] of allowed)
    test(`${method} ${path} → 405, Allow: ${allow}`, async () => {
      const { text } = await raw(w.port, request(`${method} ${path}`, { connection: "close" }))
      expect(text).toMatch(/^HTTP\/1\.1 405 /)
      expect(text).toContain(`allow: ${allow}\r\n`)
      if (method === "HEAD") expect(text).toMatch(/\r\n\r\n$/)
      else expectProblem(only(await raw(w.port, request(`${method} ${path}`), { answers: 1 })), 405, "METHOD_NOT_ALLOWED")
    })
  test("HEAD → head of the answer of GET, no body, connection usable", async () => {
    const { text } = await raw(w.port, request("HEAD /open") + request("GET /open", { connection: "close" }))
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    expect(text.match(/"open"/g)).toHaveLength(1)
  })
  test("HEAD that is refused → status without body", async () => {
    const { text } = await raw(w.port, request("HEAD /things/1") + request("GET /open", { connection: "close" }))
    expect(text).toMatch(/^HTTP\/1\.1 401 [^{]*HTTP\/1\.1 200/s)
  })
  for (const method of ["TRACE", "PROPFIND", "PURGE"])
    test(`${method} → 404`, async () => expectProblem(only(await raw(w.port, request(`${method} /open`), { answers: 1 })), 404))
  test("CONNECT → closed", async () =>
    expect(await raw(w.port, request("CONNECT a.test:443"))).toMatchObject({ text: "", ended: "closed" }))
  test("a method that is none → 400, closed", async () => expectMalformed(await raw(w.port, request("get /open"))))
  test("X-HTTP-Method-Override → not heard", async () =>
    expectProblem(only(await raw(w.port, request("POST /things/1", { ...K, "x-http-method-override": "DELETE" }), { answers: 1 })), 405))
})

function expectMalformed(exchange: Awaited<ReturnType<typeof raw>>, status = 400): void {
  expectProblem(only(exchange), status)
  expect(only(exchange).headers.connection).toBe("close")
  expect(exchange.ended).toBe("closed")
}

describe("smuggling: refused once, and closed", () => {
  const smuggled = "GET /stub HTTP/1.1\r\nhost: a\r\n\r\n"
  const head = `POST /poke HTTP/1.1\r\nhost: a\r\n${JSON_TYPE}`
  const malformed: [string, string][] = [
    ["Content-Length and Transfer-Encoding", `${head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ["two Content-Length", `${head}content-length: 4\r\ncontent-length: 5\r\n\r\nnull${smuggled}`],
    ["the same Content-Length twice", `${head}content-length: 4\r\ncontent-length: 4\r\n\r\nnull${smuggled}`],
    ["a list of lengths", `${head}content-length: 4, 4\r\n\r\nnull${smuggled}`],
    ["Content-Length with a sign", `${head}content-length: +4\r\n\r\nnull${smuggled}`],
    ["Content-Length in hexadecimal", `${head}content-length: 0x4\r\n\r\nnull${smuggled}`],
    ["a negative Content-Length", `${head}content-length: -1\r\n\r\n${smuggled}`],
    ["a huge Content-Length", `${head}content-length: 99999999999999999999\r\n\r\n${smuggled}`],
    ["chunked twice", `${head}transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ["a folded header field", `GET /open HTTP/1.1\r\nhost: a\r\nx: a\r\n transfer-encoding: chunked\r\n\r\n${smuggled}`],
    ["bare LF as line end", `GET /open HTTP/1.1\nhost: a\n\n${smuggled}`],
    ["bare LF in the header", `GET /open HTTP/1.1\r\nhost: a\nx: b\r\n\r\n${smuggled}`],
    ["bare CR in the header", `GET /open HTTP/1.1\r\nhost: a\rx: b\r\n\r\n${smuggled}`],
    ["NUL in the header", `GET /open HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n${smuggled}`],
    ["a space before the colon", `${head}content-length : 4\r\n\r\nnull${smuggled}`],
    ["a space before the first field", `GET /open HTTP/1.1\r\n host: a\r\n\r\n${smuggled}`],
    ["a field without a name", `GET /open HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n${smuggled}`],
    ["a chunk size that is none", `${head}transfer-encoding: chunked\r\n\r\nzz\r\nnull\r\n0\r\n\r\n${smuggled}`],
    ["a chunk longer than it says", `${head}transfer-encoding: chunked\r\n\r\n2\r\nnull\r\n0\r\n\r\n${smuggled}`],
    ["bare LF in a chunk extension", `${head}transfer-encoding: chunked\r\n\r\n4;\n\r\nnull\r\n0\r\n\r\n${smuggled}`],
    ["a chunk size of 17 digits", `${head}transfer-encoding: chunked\r\n\r\n10000000000000004\r\nnull\r\n0\r\n\r\n${smuggled}`],
    ["HTTP/2 by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["HTTP/9.9", `GET /open HTTP/9.9\r\nhost: a\r\n\r\n${smuggled}`],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a space in the path", `GET /open /x HTTP/1.1\r\nhost: a\r\n\r\n${smuggled}`],
    ["a control character in the path", `GET /open\x01 HTTP/1.1\r\nhost: a\r\n\r\n${smuggled}`],
  ]
  for (const [name, bytes] of malformed) test(name, async () => expectMalformed(await raw(w.port, bytes)))
  for (const coding of ["xchunked", "gzip, chunked", "identity", "chunked-not"])
    test(`Transfer-Encoding: ${coding}`, async () => {
      const exchange = await raw(w.port, `${head}transfer-encoding: ${coding}\r\n\r\n0\r\n\r\n${smuggled}`)
      expect([400, 415]).toContain(only(exchange).status)
      expect(exchange.ended).toBe("closed")
    })
  test("chunk extensions without end", async () => {
    const exchange = await raw(w.port, `${head}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(40_000)}\r\n1\r\n0\r\n\r\n`)
    expectMalformed(exchange, 413)
  })
  test("a chunk extension of honest size → taken", async () =>
    expect(only(await raw(w.port, `${head}transfer-encoding: chunked\r\n\r\n4;a=b\r\nnull\r\n0\r\n\r\n`, { answers: 1 })).status).toBe(204))
  test("trailers → are no header fields", async () => {
    const trailer = `POST /things HTTP/1.1\r\nhost: a\r\n${JSON_TYPE}transfer-encoding: chunked\r\ntrailer: x-api-key\r\n\r\nc\r\n{"name":"a"}\r\n0\r\nx-api-key: ${w.key}\r\n\r\n`
    expectProblem(only(await raw(w.port, trailer, { answers: 1 })), 401)
  })
  test("a request line without version → answered at most once, and closed", async () => {
    const exchange = await raw(w.port, `GET /open\r\n\r\n${smuggled}`)
    expect(exchange.answers.length).toBeLessThanOrEqual(1)
    expect(exchange.ended).toBe("closed")
  })
  test("no Host → 400, closed", async () => {
    const exchange = await raw(w.port, "GET /open HTTP/1.1\r\n\r\n")
    expect(exchange).toMatchObject({ ended: "closed", answers: [{ status: 400 }] })
  })
})

describe("target, version, expectation", () => {
  test("absolute-form target → the same route, whatever its host", async () =>
    expect(only(await raw(w.port, "GET http://evil.test/open HTTP/1.1\r\nhost: a\r\n\r\n", { answers: 1 })).body).toBe('"open"'))
  test("HTTP/1.0 → answered and closed", async () => {
    const exchange = await raw(w.port, "GET /open HTTP/1.0\r\n\r\n")
    expect(exchange).toMatchObject({ ended: "closed", answers: [{ status: 200, body: '"open"' }] })
  })
  const expecting = (key: string, expectation: string): string =>
    request("POST /things", { "x-api-key": key, expect: expectation, "content-type": "application/json", "content-length": 12 })
  test("Expect: 100-continue → invited, then answered", async () => {
    const exchange = await raw(w.port, expecting(w.key, "100-continue"), {
      answers: 1,
      then: (socket) => socket.once("data", () => socket.write('{"name":"a"}')),
    })
    expect(exchange.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  })
  test("Expect: 100-continue, bad key → refused without the invitation", async () => {
    const exchange = await raw(w.port, expecting("bad", "100-continue"))
    expect(exchange.text).not.toContain("100 Continue")
    expectProblem(only(exchange), 401)
  })
  test("another expectation → not heard", async () =>
    expect(only(await raw(w.port, `${expecting(w.key, "tea")}{"name":"a"}`, { answers: 1 })).status).toBe(201))
  test("Upgrade → not heard", async () =>
    expect(only(await raw(w.port, request("GET /open", { connection: "upgrade", upgrade: "websocket" }), { answers: 1 })).status).toBe(200))
})

describe("header fields", () => {
  test("20 kB of them → 431, readable though more is on its way", async () => {
    const more = "y".repeat(300_000)
    expectMalformed(await raw(w.port, request("GET /open", { x: more })), 431)
  })
  for (const field of [
    "",
    "00",
    "00-0-0-0",
    `00-${"0".repeat(32)}-${"1".repeat(16)}-01`,
    `ff-${"a".repeat(32)}-${"1".repeat(16)}-01`,
    "<script>",
    "../../x",
  ])
    test(`traceparent "${field}" → a trace of our own`, async () => {
      const { trace } = expectProblem(only(await raw(w.port, request("GET /nope", { traceparent: field }), { answers: 1 })), 404)
      expect(trace).not.toBe("0".repeat(32))
      expect(trace).not.toBe("a".repeat(32))
    })
  test("traceparent of W3C → its trace, here and in the log", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c"
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` }
    expect(expectProblem(only(await raw(w.port, request("GET /nope", headers), { answers: 1 })), 404).trace).toBe(trace)
  })
  for (const key of ["", "x".repeat(5_000), "\u00e9\u00ff", "../../etc", "a, b"])
    test(`idempotency-key ${key.slice(0, 12)} → no failure of ours`, async () =>
      expect(only(await raw(w.port, post("/things", '{"name":"a"}', { ...K, "idempotency-key": key }), { answers: 1 })).status).toBe(201))
  test("X-Forwarded-For, -Host, -Proto and Forwarded → change nothing, stand in no log", async () => {
    const headers = {
      "x-forwarded-for": "6.6.6.6",
      "x-forwarded-host": "evil.test",
      "x-forwarded-proto": "https",
      forwarded: "for=6.6.6.6",
    }
    expect(only(await raw(w.port, request("GET /open", headers), { answers: 1 })).status).toBe(200)
    expect(w.log()).not.toMatch(/6\.6\.6\.6|evil\.test/)
  })
  test("a thousand small ones → answered", async () => {
    const many = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`x-${i}`, "1"]))
    expect(only(await raw(w.port, request("GET /open", many), { answers: 1 })).status).toBe(200)
  })
})

describe("connection", () => {
  test("pipelined requests → answered in their order", async () => {
    const { answers } = await raw(w.port, post("/slow", '{"ms":100}') + request("GET /open") + request("GET /nope"), { answers: 3 })
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 404])
  })
  test("garbage behind a write that is under way → the write's own answer, then the end", async () => {
    ran.length = 0
    const exchange = await raw(w.port, `${post("/slow", '{"ms":200}')}garbage\r\n\r\n`)
    expect(only(exchange)).toMatchObject({ status: 201, body: '"done"', headers: { connection: "close" } })
    expect(exchange.ended).toBe("closed")
    expect(ran).toEqual(["slow"])
  })
  test("garbage behind an answer → a refusal of its own", async () => {
    const { answers } = await raw(w.port, request("GET /open"), {
      then: (socket) => socket.once("data", () => socket.write("garbage\r\n\r\n")),
    })
    expect(answers.map(({ status }) => status)).toEqual([200, 400])
  })
  test("dropped in the middle of the body → the operation does not run", async () => {
    ran.length = 0
    const head = request("POST /things", { ...K, "content-type": "application/json", "content-length": 12 })
    await new Promise<void>((resolve) => {
      const socket = connect(w.port, "127.0.0.1", () => socket.write(`${head}{"name"`, () => setTimeout(() => socket.destroy(), 50)))
      socket.on("close", () => resolve())
    })
    await expect.poll(() => w.log()).toContain('"code":"CANCELLED"')
    expect(ran).toEqual([])
  })
  test("half closed after the body → answered", async () => {
    const exchange = await raw(w.port, post("/things", '{"name":"a"}', K), { then: (socket) => socket.end() })
    expect(exchange.answers[0]?.status).toBe(201)
  })
})

describe.concurrent("refused early, with a body", () => {
  const LENGTHS: Record<number, number> = { 413: 300_000 }
  const early: [string, (length: number) => string, number][] = [
    [
      "401",
      (length) => request("POST /things", { authorization: "Bearer x", "content-type": "application/json", "content-length": length }),
      401,
    ],
    ["401 without credential", (length) => request("POST /things", { "content-type": "application/json", "content-length": length }), 401],
    ["404", (length) => request("POST /nope", { "content-type": "application/json", "content-length": length }), 404],
    ["405", (length) => request("PATCH /things", { "content-type": "application/json", "content-length": length }), 405],
    ["413", (length) => request("POST /things", { ...K, "content-type": "application/json", "content-length": length }), 413],
    ["415", (length) => request("POST /things", { ...K, "content-type": "text/plain", "content-length": length }), 415],
    ["400 of a GET", (length) => request("GET /open", { "content-type": "application/json", "content-length": length }), 400],
  ]
  for (const [name, head, status] of early) {
    test(`${name} before the body was sent → answered at once, then closed`, async () => {
      const exchange = await raw(w.port, head(LENGTHS[status] ?? 200_000))
      expect(expectProblem(only(exchange), status).outcome).toBe("refused")
      expect(only(exchange).headers.connection).toBe("close")
      expect(exchange).toMatchObject({ ended: "closed" })
      expect(exchange.ms).toBeLessThan(2_500)
    })
    test(`${name} with a body on its way → the client reads the answer; what follows is no request`, async () => {
      const exchange = await raw(w.port, head(LENGTHS[status] ?? 200_000) + "x".repeat(LENGTHS[status] ?? 200_000) + request("GET /open"))
      expectProblem(only(exchange), status)
      expect(exchange.ended).toBe("closed")
    })
    test(`${name} with a body that is a request → is not run`, async () => {
      const inner = request("GET /open")
      const exchange = await raw(w.port, head(LENGTHS[status] ?? 200_000) + inner)
      expect(exchange.answers).toHaveLength(1)
    })
  }
})
