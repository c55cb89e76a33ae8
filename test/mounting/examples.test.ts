// Each example as its user runs it: a process of its own, over real sockets.
import { join } from "node:path"
import { createClient } from "trestle/client"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { app } from "../../examples/mounting/app.ts"
import { type Child, run } from "./child.ts"

const FOLDER = join(import.meta.dirname, "../../examples/mounting")

describe.each(["fastify", "express", "hono", "node-http"])("examples/mounting/%s.ts", (name) => {
  let child: Child
  let url: string
  beforeAll(async () => {
    child = run(join(FOLDER, `${name}.ts`), { PORT: "0", TRESTLE_LOG: name === "fastify" ? "info" : "silent" })
    const portOf = ({ port, msg }: Record<string, any>): number => port ?? Number(/^Server listening at .*:(\d+)$/.exec(msg ?? "")?.[1])
    url = `http://127.0.0.1:${portOf(await child.until((line) => portOf(line) > 0))}`
  })
  afterAll(async () => {
    expect(await child.stop()).toBe(0)
  })
  const signed = { authorization: "Bearer letmein" }
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const reply = await fetch(url + path, { headers })
    return { status: reply.status, text: await reply.text() }
  }

  test("the host's own page → the host's", async () => expect(await get("/")).toEqual({ status: 200, text: "the host's own page" }))
  test("an address of nobody → 404", async () => expect((await get("/nowhere")).status).toBe(404))
  test("an operation → behind the prefix, and only there", async () => {
    expect(await get("/api/hello")).toEqual({ status: 200, text: '"hello"' })
    expect((await get("/hello")).status).toBe(404)
  })
  test("whom the host has signed in → the caller; nobody → 401", async () => {
    expect(await get("/api/whoami", signed)).toEqual({ status: 200, text: '{"id":"ada"}' })
    expect((await get("/api/whoami")).status).toBe(401)
  })
  test("a body → read and checked; a role of the host's → counts", async () => {
    const add = (text: unknown, headers: Record<string, string> = signed) =>
      fetch(`${url}/api/notes`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ text }),
      })
    const added = (await (await add("from outside")).json()) as { id: string }
    expect((await get(`/api/notes/${added.id}`)).text).toContain("from outside")
    expect([(await add(7)).status, (await add("x", {})).status]).toEqual([400, 401])
  })
  test("the typed client → works with the prefix", async () => {
    const client = createClient<typeof app>({ url: `${url}/api`, token: () => "letmein" })
    expect(await client.whoami()).toEqual({ id: "ada" })
    expect(await client.notes.show.safe({ id: "none" })).toMatchObject({ ok: false, code: "NO_NOTE" })
  })
  test("documents → say where the application is", async () => {
    expect(JSON.parse((await get("/api/openapi.json")).text).servers).toEqual([{ url: "/api" }])
    expect((await get("/api/docs")).text).toContain('data-openapi="openapi.json"')
  })
  if (name === "fastify")
    test("the host's logger → has the line of a call", async () => {
      await get("/api/hello")
      expect(await child.until(({ operation }) => operation === "hello")).toMatchObject({
        app: "notes",
        level: 30,
        msg: "hello",
        status: 200,
      })
    })
})
