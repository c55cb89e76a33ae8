// The page at /docs in a real browser, in front of a real application: what "Try it" sends when nobody has typed anything.
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { anyone, apiKeys, code, flow, op, type Running, trestle } from "../../src/index.ts"
import { docsPage } from "../../src/server/docs-page.ts"
import { rememberingLog, THROWAWAY } from "../../src/testing/stand-ins.ts"

const run = promisify(execFile)
const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
)

const Item = z.object({ item: z.string().describe("Its number, as `items.list` has it.") })
const reserve = op({ effect: "write", repeat: "natural", input: Item, output: Item }).via(code((input) => input))
const buy = op({
  http: "POST /orders",
  input: Item,
  output: Item,
  allow: anyone("a shop"),
  repeat: "key",
  examples: [{ input: { item: "a book" }, output: { item: "a book" } }],
}).via(flow((input, s) => s.run(reserve, input), { grants: [reserve] }))
const app = trestle({ name: "shop", ops: { reserve, orders: { buy } }, authenticate: [apiKeys()] })

/** Runs in the page, after its own script: does what a reader does, and tells the server of it. */
const READER = `(async () => {
  const until = async (find) => { for (;;) { const found = find(); if (found) return found; await new Promise((done) => setTimeout(done, 20)) } }
  const at = (selector) => document.querySelector(selector)
  const said = {}
  navigator.clipboard.writeText = async (value) => { said.curl = value }
  await until(() => at(".try button.main") || at(".rows"))
  said.texts = [...document.querySelectorAll(".chip, .eyebrow, .fields code, nav h2, .parts section")].map((one) => one.textContent)
  if (location.hash === "#orders.buy") {
    said.prefer = at("#header1").value
    for (const turn of [1, 2]) {
      at(".try button.main").click()
      said["status" + turn] = (await until(() => at(".try .status b"))).textContent
      at(".try .result").replaceChildren()
      await until(() => at(".try button.main").textContent === "Send")
    }
    at(".acts button:nth-child(2)").click()
    await until(() => said.curl)
  }
  await fetch("/said", { method: "POST", body: JSON.stringify(said) })
})()`

let running: Running<unknown>
const asked: { path: string; headers: IncomingMessage["headers"]; body: string; status: number }[] = []
let heard: (said: any) => void = () => {}
const front = createServer((request, response) => void answer(request, response))

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url: path = "", headers } = request
  if (path === "/docs") {
    const page = docsPage({ name: "shop", openapiUrl: "/openapi.json" }).replace("</body>", () => `<script>${READER}</script></body>`)
    return void response.writeHead(200, { "content-type": "text/html" }).end(page)
  }
  const body = await text(request)
  if (path === "/said") {
    heard(JSON.parse(body))
    return void response.end()
  }
  const { connection: _hop, ...sent } = headers as Record<string, string>
  const answered = await running.fetch(new Request(`http://shop${path}`, { method: method!, headers: sent, ...(body ? { body } : {}) }))
  asked.push({ path, headers, body, status: answered.status })
  response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text())
}

beforeAll(async () => {
  running = await startApp(app, { ...THROWAWAY, log: rememberingLog([]) })
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve))
})
afterAll(async () => {
  front.close()
  front.closeAllConnections()
  await running.close()
})

/** What a reader of the page sees and does there. */
async function reading(hash: string): Promise<any> {
  let told: any = null
  heard = (said) => {
    told = said
  }
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/docs#${encodeURIComponent(hash)}`
  await run(chromium ?? "chromium", ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom", url])
  expect(told).not.toBeNull()
  return told
}

describe.skipIf(!chromium && !process.env.CI)("an operation that takes header fields", () => {
  test("sent twice, then copied as curl, with nothing typed → succeeds each time, under a key of its own, without a preference", async () => {
    const said = await reading("orders.buy")
    expect(said).toMatchObject({ status1: "201 Created", status2: "201 Created", prefer: "" })
    await run("sh", ["-c", said.curl])
    const orders = asked.filter(({ path }) => path === "/orders")
    expect(orders.map(({ status, body, headers }) => [status, JSON.parse(body), headers.prefer])).toEqual([
      [201, { item: "a book" }, undefined],
      [201, { item: "a book" }, undefined],
      [201, { item: "a book" }, undefined],
    ])
    const keys = orders.map(({ headers }) => headers["idempotency-key"])
    expect(keys.every((key) => /^"[0-9a-f]{32}"$/.test(key as string))).toBe(true)
    expect(new Set(keys).size).toBe(3)
  })

  test("its texts → what is marked as code is code; the provisional answer has a form", async () => {
    const { texts } = await reading("orders.buy")
    expect(texts).toContain("items.list")
    expect(texts).toContain("respond-async")
    expect(texts.join("\n")).not.toContain("`")
    expect(texts.find((one: string) => one.startsWith("Output202"))).toMatch(/with the code PENDING.*LocationstringWhere the work is seen/)
  })

  test("the address of work → in a group of its own, no operation, and open to whoever made the call", async () => {
    const { texts } = await reading("get /work/{id}")
    expect(texts).toContain("work that goes on")
    expect(texts).toContain("with or without a credential: api-keys")
    expect(texts).not.toContain("get /work/{id}")
  })
})
