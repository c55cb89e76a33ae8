import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { promisify } from "node:util"
import { Script } from "node:vm"
import { describe, expect, test } from "vitest"
import { docsPage } from "./docs-page.ts"

const NONCE = "bm9uY2U"
const CSP = `default-src 'none'; style-src 'nonce-${NONCE}'; script-src 'nonce-${NONCE}'; connect-src 'self'; img-src data:`
const page = docsPage({ name: "bot", openapiUrl: "/openapi.json", nonce: NONCE })
const script = /<script[^>]*>(.*)<\/script>/s.exec(page)![1]!

describe("the text of the page", () => {
  test("size → under 46 kB", () => expect(Buffer.byteLength(page)).toBeLessThan(46_000))

  test("its script → parses", () => expect(() => new Script(script)).not.toThrow())

  test("what could turn a text into markup or code → nowhere", () => {
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|createContextualFragment|srcdoc|setHTML/)
    expect(script).not.toMatch(/\beval\b|new Function|import\(|setTimeout\("|javascript:/)
  })

  test("links and loads → the document's address only; no attribute that a strict policy would refuse", () => {
    const addresses = [...page.replace(script, "").matchAll(/(?:href|src|url)(?:=|\()"?([^"\s>)]*)/g)].map((match) => match[1])
    expect(new Set(addresses)).toEqual(new Set(["#", "data:,", "/openapi.json"]))
    expect(page).not.toMatch(/<[^>]+\s(?:style|on[a-z]+)=/)
  })

  test("a name, an address and a nonce that hold markup → escaped", () => {
    const hostile = `"><script>alert(1)</script>`
    const text = docsPage({ name: hostile, openapiUrl: hostile, nonce: hostile })
    expect(text.match(/<script/g)).toHaveLength(1)
    expect(text).toContain("&quot;&gt;&lt;script&gt;")
  })

  test("no nonce → no nonce attribute", () => expect(docsPage({ name: "bot", openapiUrl: "/o" })).not.toContain("nonce="))
})

const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
)
if (!chromium) console.warn("docs-page: no Chromium here (set CHROMIUM); the tests in a real browser are skipped")

/** The page in a real browser, under its policy: what it showed, and what it asked the server for. */
async function shown(document: unknown, hash: string): Promise<{ html: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    const isPage = request.url === "/docs"
    response.writeHead(
      200,
      isPage ? { "content-type": "text/html", "content-security-policy": CSP } : { "content-type": "application/json" },
    )
    response.end(isPage ? page : JSON.stringify(document))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/docs#${encodeURIComponent(hash)}`
  const flags = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--virtual-time-budget=4000",
    "--dump-dom",
  ]
  try {
    const { stdout } = await promisify(execFile)(chromium ?? "chromium", [...flags, url])
    return { html: stdout.slice(0, stdout.indexOf("<script")), asked }
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

const HOSTILE = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`

/** Every place where the page shows a text of the document. */
const hostileDocument = {
  openapi: "3.1.0",
  info: { title: HOSTILE, version: HOSTILE, description: HOSTILE },
  paths: {
    [`/x/{${HOSTILE}}`]: {
      post: {
        operationId: HOSTILE,
        summary: HOSTILE,
        tags: [HOSTILE],
        parameters: [
          { name: HOSTILE, in: "path", required: true, description: HOSTILE, schema: { type: HOSTILE, format: HOSTILE }, example: HOSTILE },
        ],
        requestBody: {
          content: {
            "application/json": {
              schema: {
                type: "object",
                properties: {
                  [HOSTILE]: { enum: [HOSTILE], default: HOSTILE, description: HOSTILE },
                  pattern: { type: "string", pattern: HOSTILE },
                  choice: {
                    oneOf: [
                      { type: "object", properties: { kind: { const: HOSTILE } } },
                      { type: "object", properties: { kind: { const: 1 } } },
                    ],
                  },
                },
                required: [HOSTILE],
              },
            },
          },
        },
        responses: {
          "200": {
            description: HOSTILE,
            content: { "application/json": { schema: { type: "string" }, examples: { one: { value: HOSTILE } } } },
          },
          "409": {
            description: HOSTILE,
            content: { "application/problem+json": { schema: { allOf: [{}, { properties: { code: { enum: [HOSTILE] } } }] } } },
          },
        },
        deprecated: true,
        description: HOSTILE,
        "x-trestle": { effect: HOSTILE, repeat: HOSTILE, state: "placeholder", why: HOSTILE },
      },
    },
  },
  components: { securitySchemes: { [HOSTILE]: { type: "apiKey", in: "header", name: HOSTILE }, b: { type: "http", scheme: "bearer" } } },
}

describe.skipIf(!chromium && !process.env.CI)("in a browser", () => {
  test.each(["", HOSTILE])("a document full of markup, at #%s → shown as text, nothing run, nothing else loaded", async (hash) => {
    const { html, asked } = await shown(hostileDocument, hash)
    expect(html).toContain("&lt;img src=x onerror=")
    expect(html).toContain(hash === "" ? `class="bar"` : `class="try"`)
    expect(html).not.toMatch(/<img|<title>pwned/)
    expect(asked).toEqual(["/docs", "/openapi.json"])
  })

  test("schemas that never end → shown, and ended", async () => {
    const schemas = {
      Json: {
        anyOf: [
          { type: "string", minLength: 1 },
          { type: "array", items: { $ref: "#/components/schemas/Json" } },
        ],
      },
      Loop: { $ref: "#/components/schemas/Loop" },
      Self: { anyOf: [{ $ref: "#/components/schemas/Self" }] },
      Tree: { type: "object", properties: { kids: { type: "array", items: { $ref: "#/components/schemas/Tree" } } }, required: ["kids"] },
    }
    const properties = Object.fromEntries(Object.keys(schemas).map((name) => [name, { $ref: `#/components/schemas/${name}` }]))
    const requestBody = { content: { "application/json": { schema: { type: "object", properties, required: Object.keys(schemas) } } } }
    const { html } = await shown(
      { paths: { "/x": { post: { operationId: "x", requestBody, responses: {} } } }, components: { schemas } },
      "x",
    )
    for (const name of Object.keys(schemas)) expect(html).toContain(`<span class="name">${name}</span>`)
    expect(html).toContain("Tree[]")
  })

  test("a document of wrong types → what can be shown is shown", async () => {
    const operation = {
      operationId: 7,
      summary: {},
      tags: "x",
      parameters: { a: 1 },
      requestBody: [],
      responses: 3,
      security: "no",
      "x-trestle": [],
    }
    const document = {
      info: null,
      servers: {},
      paths: { "/x": { get: operation, post: null, put: "x" } },
      components: { securitySchemes: [] },
    }
    const { html } = await shown(document, "7")
    expect(html).toContain(`class="try"`)
  })

  test("an answer that is no document → says so", async () => {
    expect((await shown("nothing", "")).html).toContain("could not be read")
  })
})
