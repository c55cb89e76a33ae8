import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type IncomingHttpHeaders, request } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { fastify } from "fastify"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { type App, anyone, code, op, type Pages, type Running, trestle } from "../index.ts"

const place = mkdtempSync(join(tmpdir(), "trestle-pages-"))
const folder = join(place, "pages")
const FILES = {
  "index.html": "<!doctype html><title>Start</title>",
  "about.html": "<!doctype html><title>About</title>",
  "look.css": "body { margin: 0 }",
  "model.xyzw": "of a type that nobody knows",
  "notes/7": "a page in the place of an operation",
  "notes/help.html": "a page beside an operation",
  "help/index.html": "<!doctype html><title>Help</title>",
  "empty/readme.txt": "a folder without index.html",
  ".env": "SECRET=1",
  ".git/config": "a file in a folder that begins with a dot",
  "docs/index.html": "a page in the place of the documentation",
  "grüße.txt": "hello",
}
for (const [name, text] of Object.entries({
  ...Object.fromEntries(Object.entries(FILES).map(([name, text]) => [`pages/${name}`, text])),
  "secret.txt": "outside",
})) {
  mkdirSync(join(place, name, ".."), { recursive: true })
  writeFileSync(join(place, name), text)
}
afterAll(() => rmSync(place, { recursive: true, force: true }))

const show = op({
  http: "GET /notes/{id}",
  input: z.object({ id: z.string() }),
  output: z.object({ id: z.string() }),
  allow: anyone("a test"),
  anyObject: "a test",
}).via(code(({ id }) => ({ id })))
const declare = (pages?: Pages): App<unknown> =>
  trestle({ name: "paged", ops: { notes: { show } }, ...(pages === undefined ? {} : { pages }) })

interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The path goes out as it is written: `fetch` would tidy it up. */
function get(url: string, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (reply) => {
      let text = ""
      reply.setEncoding("utf8").on("data", (part) => {
        text += part
      })
      reply.on("end", () => resolve({ status: reply.statusCode!, headers: reply.headers, text }))
    })
    sent.once("error", reject).end()
  })
}

process.env.TRESTLE_LOG = "silent"
let running: Running<unknown>
let url = ""
beforeAll(async () => {
  running = await declare(pathToFileURL(`${folder}/`)).start()
  url = (await running.listen({ port: 0 })).url
})
afterAll(() => running.close())

describe("a page", () => {
  test.each([
    ["/", "index.html", "text/html; charset=utf-8"],
    ["/index.html", "index.html", "text/html; charset=utf-8"],
    ["/about", "about.html", "text/html; charset=utf-8"],
    ["/about.html?x=1", "about.html", "text/html; charset=utf-8"],
    ["/look.css", "look.css", "text/css; charset=utf-8"],
    ["/model.xyzw", "model.xyzw", "application/octet-stream"],
    ["/about%2ehtml", "about.html", "text/html; charset=utf-8"],
    ["http://elsewhere.example/about.html", "about.html", "text/html; charset=utf-8"],
    ["/help/", "help/index.html", "text/html; charset=utf-8"],
    [`/${encodeURIComponent("grüße.txt")}`, "grüße.txt", "text/plain; charset=utf-8"],
  ] as const)("%s → %s", async (path, file, type) => {
    expect(await get(url, path)).toMatchObject({ status: 200, text: FILES[file], headers: { "content-type": type } })
  })

  test("a folder without its last slash → led to it", async () => {
    expect(await get(url, "/help")).toMatchObject({ status: 301, headers: { location: "/help/" } })
  })

  test("its header fields → nothing inline, nothing of elsewhere, no guessing of types", async () => {
    const { headers } = await get(url, "/")
    expect(headers["content-security-policy"]).toBe(
      "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    )
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    })
  })

  test("asked for again with its ETag → 304 under the same policy; changed → the new one", async () => {
    const file = join(folder, "changing.txt")
    writeFileSync(file, "one")
    const { headers } = await get(url, "/changing.txt")
    const again = await get(url, "/changing.txt", { "if-none-match": headers.etag! })
    expect(again).toMatchObject({ status: 304, text: "" })
    expect(again.headers["content-security-policy"]).toBe(headers["content-security-policy"])
    writeFileSync(file, "the other")
    expect(await get(url, "/changing.txt", { "if-none-match": headers.etag! })).toMatchObject({ status: 200, text: "the other" })
  })

  test("HEAD → the header fields alone", async () => {
    const { status, headers, text } = await get(url, "/about.html", {}, "HEAD")
    expect({ status, text, length: headers["content-length"] }).toEqual({
      status: 200,
      text: "",
      length: String(FILES["about.html"].length),
    })
  })

  test("a part of it → 206; a part that is not there → 416", async () => {
    expect(await get(url, "/look.css", { range: "bytes=0-3" })).toMatchObject({ status: 206, text: "body" })
    expect((await get(url, "/look.css", { range: "bytes=9999-" })).status).toBe(416)
  })

  test("a condition that does not hold → 412", async () => {
    expect((await get(url, "/look.css", { "if-match": '"other"' })).status).toBe(412)
  })

  test("another method than GET and HEAD → 404: only operations are written to", async () => {
    expect((await get(url, "/about.html", {}, "POST")).status).toBe(404)
  })
})

describe("what is no page", () => {
  test.each([
    "/.env",
    "/.git/config",
    "/help/../.env",
    "/empty/",
    "/nothing.html",
    "/../secret.txt",
    "/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/..%5csecret.txt",
    "/help/..%2f..%2fsecret.txt",
    "/help/%2e%2e/%2e%2e/secret.txt",
    "//secret.txt",
    "//etc/passwd",
    "/./about.html",
    "/help//index.html",
    "/help%2findex.html",
    "/help%5cindex.html",
    "/help/%2e/",
    "/About.html",
    "/about.html%00",
    "/about.html%00.png",
    `/${"a".repeat(4_000)}`,
  ])("%.40s → 404, nothing told", async (path) => {
    const { status, text } = await get(url, path)
    expect({ status, code: JSON.parse(text).code }).toEqual({ status: 404, code: "NOT_FOUND" })
    expect(text).not.toMatch(/outside|SECRET|trestle-pages|root:/)
  })

  test("an escape that is none → 400", async () => expect((await get(url, "/%zz")).status).toBe(400))
})

describe("operations and Trestle's own addresses", () => {
  test("an operation's route → the operation, whatever the folder holds", async () => {
    expect((await get(url, "/notes/7")).text).toBe('{"id":"7"}')
    expect((await get(url, "/notes/help.html")).text).toBe('{"id":"help.html"}')
  })

  test("another method at an operation's route → 405, not a page", async () => {
    expect((await get(url, "/notes/7", {}, "DELETE")).status).toBe(405)
  })

  test("/docs → the documentation", async () => expect((await get(url, "/docs")).text).toContain("data-openapi"))
})

describe("the client for pages", () => {
  /** The text of a module, its imports replaced by the modules themselves: what a browser does. */
  async function load(path: string): Promise<string> {
    const { text } = await get(url, path)
    const found = [...text.matchAll(/from "(\.\/[^"]+)"/g)].map((match) => match[1]!)
    let whole = text
    for (const specifier of new Set(found)) {
      const inner = await load(new URL(specifier, `http://x${path}`).pathname)
      whole = whole.replaceAll(`"${specifier}"`, `"data:text/javascript,${encodeURIComponent(inner)}"`)
    }
    return whole
  }

  test("/rpc/client.js → a module that calls", async () => {
    const { createClient, ClientError } = await import(
      /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(await load("/rpc/client.js"))}`
    )
    const api = createClient({ url })
    expect(await api.notes.show({ id: "7" })).toEqual({ id: "7" })
    await expect(api.notes.shown({})).rejects.toBeInstanceOf(ClientError)
    expect(await api.notes.show.safe({})).toMatchObject({ ok: false, code: "INVALID" })
  })

  test("its header fields → JavaScript, not kept without asking; the modules that it needs are announced", async () => {
    const { headers } = await get(url, "/rpc/client.js")
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    })
    expect(headers.link).toContain("<client/exchange.js>; rel=modulepreload")
    expect(await get(url, "/rpc/client.js", { "if-none-match": headers.etag! })).toMatchObject({ status: 304, text: "" })
  })

  test("of its folder → modules only", async () => {
    const { headers } = await get(url, "/rpc/client.js")
    const names = [...String(headers.link).matchAll(/<([^>]+)>/g)].map((match) => match[1]!)
    expect(names).toContain("client/index.js")
    expect(names.filter((name) => !/^client\/[a-z-]+\.js$/.test(name))).toEqual([])
    for (const name of names)
      expect(await get(url, `/rpc/${name}`), name).toMatchObject({
        status: 200,
        text: expect.not.stringMatching(/sourceMappingURL|\binterface /),
      })
  })

  test("calls go on beside it → POST /rpc/… as ever", async () => {
    expect((await get(url, "/rpc/client.js", {}, "POST")).status).toBe(404)
    expect((await get(url, "/rpc/notes.show")).status).toBe(405)
  })
})

describe("without pages", () => {
  test("neither pages nor client", async () => {
    const bare = await declare().start()
    const at = (await bare.listen({ port: 0 })).url
    for (const path of ["/", "/about", "/index.html"]) expect((await get(at, path)).status, path).toBe(404)
    expect((await get(at, "/rpc/client.js")).status).toBe(405)
    await bare.close()
  })
})

describe("in a server of somebody else", () => {
  test("the Fastify plugin → pages and client behind its prefix", async () => {
    const host = fastify()
    await host.register(running.plugin({ close: false }), { prefix: "/bot" })
    expect(await host.inject("/bot/about")).toMatchObject({ statusCode: 200, body: FILES["about.html"] })
    expect((await host.inject("/bot/help")).headers.location).toBe("/bot/help/")
    expect((await host.inject("/bot/.env")).statusCode).toBe(404)
    expect((await host.inject("/bot/rpc/client.js")).statusCode).toBe(200)
    await host.close()
  })

  test("what a hook of the host refuses → the host's answer", async () => {
    const host = fastify()
    host.addHook("onRequest", async () => {
      throw Object.assign(new Error("not for you"), { statusCode: 401 })
    })
    await host.register(running.plugin({ close: false }), { prefix: "/bot" })
    expect((await host.inject("/bot/about")).statusCode).toBe(401)
    await host.close()
  })

  test("a prefix that would lead elsewhere → never another host", async () => {
    const host = fastify()
    await host.register(running.plugin({ close: false }), { prefix: "/:tenant" })
    await host.listen({ port: 0 })
    const at = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`
    expect((await get(at, "/\\elsewhere.example/help")).headers.location).toBe("/elsewhere.example/help/")
    await host.close()
  })

  test("fetch and node:http → the client; the pages are the host's to serve", async () => {
    expect((await running.fetch(new Request("http://host.test/rpc/client.js"))).status).toBe(200)
    expect((await running.fetch(new Request("http://host.test/about"))).status).toBe(404)
  })
})

describe("a policy of one's own", () => {
  test("stands in the place of the strict one", async () => {
    const policy = "default-src 'self'; img-src 'self' https://images.example.org"
    const own = await declare({ folder: pathToFileURL(folder), policy }).start()
    const { headers } = await get((await own.listen({ port: 0 })).url, "/")
    expect(headers["content-security-policy"]).toBe(policy)
    await own.close()
  })
})

describe("check", () => {
  const messages = (pages: unknown): string[] =>
    declare(pages as URL)
      .check()
      .map(({ code, message }) => `${code} ${message}`)

  test("a folder that is there → nothing", () => expect(messages(pathToFileURL(folder))).toEqual([]))

  test.each([
    ["no such folder", pathToFileURL(join(place, "nowhere")), /^TRS1039 pages: the folder \S+nowhere does not exist$/],
    ["a file", pathToFileURL(join(folder, "look.css")), /^TRS1039 pages: \S+look\.css is not a folder$/],
    ["an address of the network", new URL("https://example.org/pages/"), /^TRS1039 pages: https:\S+ is not a file: address$/],
    ["a text", "./pages", /^TRS1039 pages: undefined is not a file: address$/],
    ["nothing", null, /^TRS1039 pages: undefined is not a file: address$/],
    ["a policy of two lines", { folder: pathToFileURL(folder), policy: "a\r\nset-cookie: b" }, /^TRS1039 pages: policy is not one line/],
  ])("%s → TRS1039", (_, pages, message) => {
    expect(messages(pages)).toEqual([expect.stringMatching(message)])
  })
})
