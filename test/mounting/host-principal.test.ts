import { createServer } from "node:http"
import express from "express"
import { type FastifyRequest, fastify } from "fastify"
import { type Context, Hono } from "hono"
import { authenticator, code, fromHost, nothing, op, type Principal, type Running, role, signedIn, trestle } from "trestle"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { type Asked, ask, listening, type Mounting, mounted } from "./mountings.ts"

const ADA: Principal = { id: "ada", kind: "user", roles: ["writer"] }

/** What the function does is what the request asks for. */
interface Signed {
  readonly headers: unknown
  readonly user?: unknown
}
const answered: Readonly<Record<string, () => unknown>> = {
  ada: () => ADA,
  later: async () => ADA,
  nobody: () => null,
  undefined: () => undefined,
  throws: () => {
    throw new Error("the session store is down")
  },
  rejects: () => Promise.reject(new Error("the session store is down")),
  "no id": () => ({ kind: "user" }),
  "no kind": () => ({ id: "ada" }),
  system: () => ({ id: "ada", kind: "system" }),
  "a text": () => "ada",
  "roles in one text": () => ({ id: "ada", kind: "user", roles: "writer" }),
}
const seen: unknown[] = []
const host = fromHost<Signed>((request) => {
  seen.push(request)
  const { headers } = request
  const asked = headers instanceof Headers ? headers.get("x-host") : (headers as Record<string, string>)["x-host"]
  return (answered[asked ?? "nobody"] ?? answered.nobody!)() as Principal | null
})
const badges = authenticator("badge", ({ headers }) => (headers["x-badge"] === "eve" ? { id: "eve", kind: "user" } : null))
const app = trestle({
  name: "hosted",
  authenticate: [host, badges],
  ops: {
    whoami: op({ http: "GET /whoami", input: nothing, output: z.string(), allow: signedIn() }).via(code((_, { user }) => user!.id)),
    write: op({ http: "POST /write", input: nothing, output: z.string(), allow: role("writer") }).via(code((_, { user }) => user!.id)),
    erase: op({ http: "POST /erase", input: nothing, output: z.string(), allow: role("eraser") }).via(code(() => "erased")),
  },
})

let running: Running<any>
const lines: Record<string, unknown>[] = []
beforeAll(async () => {
  const keep = (fields: object): void => void lines.push(fields as Record<string, unknown>)
  running = await app.start({ log: { info: keep, warn: keep, error: keep } })
})
afterAll(() => running.close())

const HOSTS: Readonly<Record<string, () => Promise<Mounting>>> = {
  Fastify: async () => {
    const server = fastify()
    await server.register(running.plugin({ close: false }))
    await server.listen({ port: 0 })
    return { ...mounted(server.server, ""), close: () => server.close() }
  },
  Express: async () => ({ ...(await listening(createServer(express().use(running.handler())))), prefix: "" }),
  "node:http": async () => ({ ...(await listening(createServer(running.handler()))), prefix: "" }),
}

const get = (asked: string, more: Record<string, string> = {}): Asked => ({ path: "/whoami", headers: { "x-host": asked, ...more } })

describe.each(Object.entries(HOSTS))("the principal of %s", (_, open) => {
  let mounting: Mounting
  beforeAll(async () => {
    mounting = await open()
  })
  afterAll(() => mounting.close())

  test.each(["ada", "later"])("%s → the caller", async (asked) => {
    expect(await ask(mounting, get(asked))).toMatchObject({ status: 200, body: '"ada"' })
  })
  test("its roles → decide as anybody's", async () => {
    const post = (path: string): Asked => ({ method: "POST", path, headers: { "x-host": "ada" } })
    expect((await ask(mounting, post("/write"))).body).toBe('"ada"')
    expect((await ask(mounting, post("/erase"))).status).toBe(403)
  })
  test("nobody → the next authenticator may look", async () => {
    expect((await ask(mounting, get("nobody"))).status).toBe(401)
    expect((await ask(mounting, get("nobody", { "x-badge": "eve" }))).body).toBe('"eve"')
  })
  test("somebody, and a badge of somebody else → the first authenticator decides", async () => {
    expect((await ask(mounting, get("ada", { "x-badge": "eve" }))).body).toBe('"ada"')
  })
  test.each([
    ["throws", "failed"],
    ["rejects", "failed"],
    ["undefined", "it is undefined"],
    ["a text", "it is a string"],
    ["no id", "`id` is no text"],
    ["no kind", "`kind` is none of user, key, service"],
    ["system", "`kind` is none of user, key, service"],
    ["roles in one text", "`roles` is no list of texts"],
  ])("%s → 503, nobody let in, and the log says: %s", async (asked, note) => {
    const { status, headers, body } = await ask(mounting, get(asked, { "x-badge": "eve" }))
    expect([status, JSON.parse(body).code]).toEqual([503, "UNAVAILABLE"])
    expect(body).not.toContain("session store")
    const line = lines.find(({ trace }) => trace === headers["x-request-id"])
    expect(line!.note).toContain('the authenticator "host"')
    expect(line!.note).toContain(note)
  })
})

describe("what fromHost gets", () => {
  test("in Fastify → its request", async () => {
    const server = fastify()
    server.decorateRequest("mark", "fastify")
    await server.register(running.plugin({ close: false }))
    await server.inject({ url: "/whoami" })
    expect((seen.at(-1) as FastifyRequest & { mark: string }).mark).toBe("fastify")
    await server.close()
  })
  test("in fetch → the host's object, else the request", async () => {
    const request = new Request("http://host.test/whoami", { headers: { "x-host": "ada" } })
    const mine = { headers: { "x-host": "ada" } }
    expect(await (await running.fetch(request, { host: mine })).text()).toBe('"ada"')
    expect(seen.at(-1)).toBe(mine)
    expect(await (await running.fetch(request)).text()).toBe('"ada"')
    expect(seen.at(-1)).toBe(request)
  })
  test("in Hono → its context, where it is passed on", async () => {
    const hono = new Hono<{ Variables: { who: string } }>()
      .use(async (c, next) => {
        c.set("who", "ada")
        await next()
      })
      .all("/*", (c) => running.fetch(c.req.raw, { host: { headers: { "x-host": c.get("who") }, c } }))
    expect(await (await hono.request("/whoami")).text()).toBe('"ada"')
    expect((seen.at(-1) as { c: Context }).c.req.path).toBe("/whoami")
  })
  test("on Trestle's own server → it is not asked, whatever the request says", async () => {
    const before = seen.length
    const { url } = await running.listen({ port: 0 })
    const own: Mounting = { port: Number(new URL(url).port), prefix: "", close: async () => {} }
    expect((await ask(own, get("ada"))).status).toBe(401)
    expect((await ask(own, get("ada", { "x-badge": "eve" }))).body).toBe('"eve"')
    expect(seen.length).toBe(before)
  })
})
