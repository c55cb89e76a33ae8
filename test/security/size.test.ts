// Bodies that are too large, too deep or too wide, at a process of its own whose memory is watched.
import type { Socket } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { expectProblem, only } from "./kit/expectations.ts"
import { flood, GIB } from "./kit/flood.ts"
import { type Exchange, post, raw, request } from "./kit/raw.ts"
import { type ServerProcess, serverProcess } from "./kit/server-process.ts"

let small: ServerProcess
let wide: ServerProcess
beforeAll(async () => {
  ;[small, wide] = await Promise.all([serverProcess(), serverProcess("32mb")])
})
afterAll(async () => {
  for (const one of [small, wide]) {
    // Ended whatever is found, or it would outlive the tests.
    await using server = one
    expect(only(await raw(server.port, request("GET /things/ok", { "x-api-key": server.key }), { answers: 1 })).status).toBe(200)
    expect(server.said).toEqual([])
  }
})

/** Answered within a second, at memory that hardly grew, the connection closed. `ms` ends with the answer. */
async function expectRefused(server: ServerProcess, bytes: string, then?: (socket: Socket) => void): Promise<void> {
  const before = server.peakMib()
  let answeredAfter = Infinity
  const startedAt = performance.now()
  const exchange: Exchange = await raw(server.port, bytes, {
    then: (socket) => {
      socket.once("data", () => {
        answeredAfter = performance.now() - startedAt
      })
      then?.(socket)
    },
  })
  expectProblem(only(exchange), 413, "TOO_LARGE")
  expect(answeredAfter).toBeLessThan(1_000)
  expect(exchange.ended).not.toBe("open")
  expect(server.peakMib() - before).toBeLessThan(64)
}

describe("too large", () => {
  const head = (length: Record<string, string | number>): string =>
    request("POST /things", { "x-api-key": small.key, "content-type": "application/json", ...length })
  test("1 GiB, said beforehand → refused by the head", () => expectRefused(small, head({ "content-length": GIB })))
  test("1 GiB, said beforehand and sent → not read to its end", () =>
    expectRefused(small, head({ "content-length": GIB }), flood(GIB, false)))
  test("1 GiB in chunks → refused at the limit", () => expectRefused(small, head({ "transfer-encoding": "chunked" }), flood(GIB, true)))
  test("one byte more than the limit → refused; the limit itself → read", async () => {
    const text = (length: number): string => JSON.stringify({ name: "a".repeat(length - 11) })
    expectProblem(only(await raw(small.port, post("/things", text(262_145), { "x-api-key": small.key }), { answers: 1 })), 413)
    expect(only(await raw(small.port, post("/things", text(262_144), { "x-api-key": small.key }), { answers: 1 })).status).toBe(201)
  })
  test("ten of 1 GiB at once, in chunks → memory bounded", async () => {
    const before = small.peakMib()
    const exchanges = await Promise.all(
      Array.from({ length: 10 }, () => raw(small.port, head({ "transfer-encoding": "chunked" }), { then: flood(GIB, true) })),
    )
    for (const exchange of exchanges) expectProblem(only(exchange), 413)
    expect(small.peakMib() - before).toBeLessThan(100)
  })
})

describe("too deep, too wide (limit 32 MB)", () => {
  const deep: [string, string][] = [
    ["100,000 arrays", `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["100,000 arrays without end", `{"a":${"[".repeat(100_000)}`],
    ["100,000 objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
    ["brackets hidden behind a quote", `{"a\\"":"[","b":${"[".repeat(100_000)}`],
  ]
  for (const [name, text] of deep)
    test(`${name} → 400 within a second`, async () => {
      const exchange = await raw(wide.port, post("/record", text), { answers: 1 })
      const problem = expectProblem(only(exchange), 400)
      expect(problem.issues[0]!.message).toMatch(/nested deeper than 32/)
      expect(exchange.ms).toBeLessThan(1_000)
    })
  test("brackets inside a text → no depth", async () => {
    const text = JSON.stringify({ a: "[".repeat(100_000) })
    expect(only(await raw(wide.port, post("/record", text), { answers: 1 })).status).toBe(201)
  })
  const million = (more = ""): string => `{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":1`).join(",")}${more}}`
  test("1 M keys, undeclared → 400 with 50 issues, in bounded time", async () => {
    const exchange = await raw(wide.port, post("/things", million(), { "x-api-key": wide.key }), { answers: 1, withinMs: 8_000 })
    expect(expectProblem(only(exchange), 400).issues.length).toBeLessThanOrEqual(60)
    expect(exchange.ms).toBeLessThan(3_000)
  })
  test("1 M keys, allowed by z.record → counted; with a forbidden one among them → refused", async () => {
    const good = await raw(wide.port, post("/record", million()), { answers: 1, withinMs: 8_000 })
    expect(JSON.parse(only(good).body)).toEqual({ count: 1_000_000, isAdmin: null })
    const bad = await raw(wide.port, post("/record", million(',"constructor":{"prototype":{"isAdmin":1}}')), {
      answers: 1,
      withinMs: 8_000,
    })
    expectProblem(only(bad), 400)
    expect(bad.ms).toBeLessThan(5_000)
  })
  test("1 M wrong items → an answer of bounded size", async () => {
    const text = `{"a":[${Array(1_000_000).fill('"x"').join(",")}]}`
    const answer = only(await raw(wide.port, post("/count", text), { answers: 1, withinMs: 15_000 }))
    const { issues } = expectProblem(answer, 400)
    expect(issues.length).toBeLessThanOrEqual(50)
    expect(answer.body.length).toBeLessThan(20_000)
  })
})
