// The application that is attacked, started over a real socket, with a real service behind it.
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type } from "arktype"
import { z } from "zod"
import { startApp } from "../../../src/assembly/start.ts"
import { systemRandom } from "../../../src/base/random.ts"
import { loadEnvironment } from "../../../src/config/environment.ts"
import {
  anyone,
  apiKeys,
  authenticator,
  bearer,
  code,
  type Defaults,
  env,
  nothing,
  op,
  openKeyStore,
  placeholder,
  rest,
  role,
  secret,
  signedIn,
  trestle,
} from "../../../src/index.ts"

/** A secret that the application knows of, and one that only the service behind it has. */
export const CANARY = "canary/Zx9+secret==Q"
export const THEIRS = "theirs-7f3b-canary"

const badges = authenticator(
  "badge",
  async ({ headers }) => {
    const badge = headers["x-badge"]
    if (badge === undefined) return null
    if (badge === "hang") return new Promise(() => {})
    if (badge === "throw") throw new Error(`directory said ${CANARY}`)
    if (badge === "undefined") return undefined as never
    return badge.startsWith("guard-") ? { id: badge.slice(6), kind: "user", roles: ["guard"] } : "bad"
  },
  { scheme: { type: "apiKey", in: "header", name: "X-Badge" } },
)

const upstream = rest({
  url: env("UPSTREAM_URL"),
  auth: bearer(secret("UPSTREAM_TOKEN")),
  policy: { retry: 0, timeout: "3s", breaker: false },
})
const breakable = rest({
  url: env("UPSTREAM_URL"),
  policy: { retry: 0, breaker: { failures: 2, of: 4, rest: "60s" } },
  name: "breakable",
})

const Id = z.object({ id: z.string() })
const Thing = z.object({ id: z.string(), name: z.string() })
const loadThing = op({ effect: "read", input: Id, output: z.object({ id: z.string(), owner: z.string() }) }).via(
  code(({ id }) => (id === "hang" ? new Promise<never>(() => {}) : { id, owner: id === "mine" ? "ada" : "bob" })),
)

/** What ran, so that a test can see that nothing did. */
export const ran: string[] = []
const anyObject = "a test"
const echo = <T>(name: string) =>
  code<T, T>((input) => {
    ran.push(name)
    return input
  })

const ops = {
  open: op({ http: "GET /open", input: nothing, output: z.string(), allow: anyone("a test") }).via(code(() => "open")),
  things: {
    show: op({ http: "GET /things/{id}", input: Id, output: Id, allow: signedIn(), anyObject }).via(echo("show")),
    create: op({
      http: "POST /things",
      input: z.object({
        name: z.string(),
        tags: z.array(z.object({ word: z.string() })).optional(),
        at: z.object({ city: z.string() }).optional(),
      }),
      output: z.any(),
      allow: signedIn(),
    }).via(echo("create")),
    replace: op({ http: "PUT /things/{id}", input: Thing, output: Thing, allow: signedIn(), anyObject }).via(echo("replace")),
    remove: op({ http: "DELETE /things/{id}", input: Id, output: nothing, allow: role("guard"), anyObject }).via(code(() => {})),
  },
  search: op({
    http: "GET /search",
    input: z.object({ q: z.string().optional(), page: z.int().default(1), tag: z.array(z.string()).optional() }),
    output: z.any(),
    allow: anyone("a test"),
  }).via(echo("search")),
  record: op({ http: "POST /record", input: z.record(z.string(), z.unknown()), output: z.any(), allow: anyone("a test") }).via(
    code((input) => ({ count: Object.keys(input).length, isAdmin: (input as any).isAdmin ?? null })),
  ),
  count: op({ http: "POST /count", input: z.object({ a: z.array(z.number()) }), output: z.number(), allow: anyone("a test") }).via(
    code(({ a }) => a.length),
  ),
  poke: op({ http: "POST /poke", input: nothing, output: nothing, allow: anyone("a test") }).via(code(() => {})),
  slow: op({ http: "POST /slow", input: z.object({ ms: z.int() }), output: z.string(), allow: anyone("a test"), deadline: "15s" }).via(
    code(async ({ ms }) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      ran.push("slow")
      return "done"
    }),
  ),
  hang: op({ http: "GET /hang", input: nothing, output: z.string(), allow: anyone("a test"), deadline: "15s" }).via(
    code(() => new Promise<never>(() => {})),
  ),
  big: op({ http: "GET /big", input: nothing, output: z.string(), allow: anyone("a test") }).via(code(() => "x".repeat(20_000_000))),
  owned: op({
    http: "GET /owned/{id}",
    input: Id,
    output: Id,
    allow: signedIn(),
    deadline: "1s",
    owner: { load: loadThing, is: (row: any, who) => row.owner === who.id },
  }).via(echo("owned")),
  ruled: op({
    http: "POST /ruled",
    input: z.object({ how: z.string() }),
    output: nothing,
    deadline: "1s",
    allow: ({ how }) => {
      if (how === "throw") throw new Error(`rule said ${CANARY}`)
      if (how === "reject") return Promise.reject(new Error(`rule said ${CANARY}`))
      if (how === "hang") return new Promise(() => {})
      return how === "yes"
    },
  }).via(code(() => {})),
  badged: op({ http: "GET /badged", input: nothing, output: z.string(), allow: signedIn(), deadline: "1s" }).via(code(() => "in")),
  out: {
    show: op({ http: "GET /out/{id}", input: Id, output: z.any(), allow: anyone("a test"), anyObject }).via(
      upstream.call("GET /echo/{id}/end", { query: ({ id }) => ({ id, "q&x": id }) }),
    ),
    label: op({ http: "POST /label", input: z.object({ label: z.string() }), output: z.any(), allow: anyone("a test") }).via(
      breakable.call("POST /echo", { headers: ({ label }) => ({ "x-label": label }) }),
    ),
    fail: op({ http: "GET /fail/{id}", input: Id, output: Id, allow: anyone("a test"), anyObject }).via(upstream.call("GET /fail/{id}")),
    checked: op({ http: "GET /checked/{id}", input: Id, output: Id, allow: anyone("a test"), anyObject }).via(
      upstream.call("GET /answer/{id}", { response: type({ id: "string", n: "number" }) as any }),
    ),
    mapped: op({ http: "GET /mapped/{id}", input: Id, output: Id, allow: anyone("a test"), anyObject }).via(
      upstream.call("GET /answer/{id}", { map: (theirs) => ({ id: theirs.no.such.field }) }),
    ),
  },
  stripped: {
    zod: op({ http: "GET /stripped/zod", input: nothing, output: Id, allow: anyone("a test") }).via(
      code(() => ({ id: "1", password: THEIRS, ["__proto__"]: 1 }) as never),
    ),
    ark: op({
      http: "GET /stripped/ark",
      input: nothing,
      output: type({ id: "string", inner: type({ a: "string" }).array() }) as any,
      allow: anyone("a test"),
    }).via(code(() => ({ id: "1", password: THEIRS, inner: [{ a: "b", hash: THEIRS }] }))),
  },
  misfit: op({ http: "GET /misfit", input: nothing, output: type({ id: "number" }) as any, allow: anyone("a test") }).via(
    code(() => ({ id: THEIRS })),
  ),
  stub: op({ http: "GET /stub", input: nothing, output: z.string(), allow: anyone("a test") }).via(placeholder("x", "a test")),
  throwing: op({ http: "POST /throwing", input: z.object({ text: z.string() }), output: nothing, allow: anyone("a test") }).via(
    code(() => {
      throw Object.assign(new Error(`failed at ${import.meta.filename} with ${CANARY}`), { token: CANARY })
    }),
  ),
  inside: { loadThing },
}

/** One request as the service behind the application saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

async function openUpstream(seen: Seen[]): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const url = request.url!
      seen.push({ method: request.method!, url, headers: request.headers, body: Buffer.concat(chunks).toString() })
      if (url.startsWith("/fail/reset")) return request.socket.destroy()
      if (url.startsWith("/fail/garbage")) return request.socket.end(`nonsense ${THEIRS}\r\n\r\n`)
      if (url.startsWith("/fail/json")) return response.setHeader("content-type", "application/json").end(`{"${THEIRS}": ${THEIRS}`)
      const status = Number(/^\/fail\/(\d+)/.exec(url)?.[1] ?? 200)
      response.writeHead(status, status === 200 ? {} : { "x-secret": THEIRS, "set-cookie": `s=${THEIRS}`, "www-authenticate": THEIRS })
      response.end(JSON.stringify(url.startsWith("/answer") ? { id: 5, n: THEIRS, [THEIRS]: THEIRS } : { url, secret: THEIRS }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return server
}

export interface World extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The text of a working API key of "ada". */
  readonly key: string
  readonly seen: Seen[]
  readonly folder: string
  /** Everything that was logged, at the lowest level. */
  log(): string
  close(): Promise<void>
}

export async function openWorld(defaults: Defaults = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "trestle-attacked-"))
  const { key } = await openKeyStore({ folder, random: systemRandom }).create({
    name: "ada",
    roles: ["guard"],
    permissions: ["meta:read"],
    expiresInMs: null,
    principalId: "ada",
  })
  const seen: Seen[] = []
  const server = await openUpstream(seen)
  const lines: string[] = []
  const app = trestle({ name: "attacked", ops, authenticate: [apiKeys(), badges], defaults })
  const running = await startApp(app, {
    environment: loadEnvironment({
      folder,
      process: {
        TRESTLE_ENV: "production",
        TRESTLE_DATA: folder,
        UPSTREAM_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        UPSTREAM_TOKEN: CANARY,
      },
    }),
    logOptions: { destination: { write: (text) => lines.push(text) }, level: "info" },
  })
  const { url } = await running.listen({ port: 0 })
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= running.close().finally(() => {
      server.closeAllConnections()
      server.close()
      rmSync(folder, { recursive: true, force: true })
    })
    return closing
  }
  return { url, port: Number(new URL(url).port), key, seen, folder, log: () => lines.join(""), close, [Symbol.asyncDispose]: close }
}
