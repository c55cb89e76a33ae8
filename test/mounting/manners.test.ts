// How a mounted application behaves towards its host: what it leaves to it, and when it ends.
import { createServer, type RequestListener } from "node:http"
import { connect } from "node:net"
import express from "express"
import { type FastifyInstance, fastify } from "fastify"
import { anyone, code, nothing, op, type Running, signedIn, TrestleError, trestle } from "trestle"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { ask, listening, type Mounting, mounted } from "./mountings.ts"

/** Each call of `wait` waits until it is released or stopped. */
let release: () => void
let began: Promise<void>
let begin: () => void
let stopped: boolean
const app = trestle({
  name: "guest",
  ops: {
    hello: op({ http: "GET /hello", input: nothing, output: z.string(), allow: anyone("a test") }).via(code(() => "hello")),
    wait: op({ http: "GET /wait", input: nothing, output: z.string(), allow: anyone("a test") }).via(
      code((_, { signal }) => {
        begin()
        signal.addEventListener("abort", () => {
          stopped = true
        })
        return new Promise<string>((resolve) => {
          release = () => resolve("waited")
        })
      }),
    ),
    echo: op({ http: "POST /echo", input: z.object({ text: z.string() }), output: z.any(), allow: anyone("a test") }).via(code((i) => i)),
    mine: op({ http: "GET /mine", input: nothing, output: z.string(), allow: signedIn() }).via(code(() => "mine")),
  },
})

let running: Running<any>
const open: { close(): Promise<unknown> }[] = []
const opened = <T extends { close(): Promise<unknown> }>(one: T): T => {
  open.push(one)
  return one
}
beforeEach(async () => {
  process.env.TRESTLE_LOG = "silent"
  stopped = false
  began = new Promise((resolve) => {
    begin = resolve
  })
  running = opened(await app.start())
})
afterEach(async () => {
  release?.()
  for (const one of open.splice(0).reverse()) await one.close()
})
const served = async (handler: RequestListener): Promise<Mounting> => opened(await listening(createServer(handler)))
const fastifyHost = async (prepare: (host: FastifyInstance) => unknown, prefix = "/api"): Promise<Mounting> => {
  const host = fastify()
  await prepare(host)
  await host.listen({ port: 0 })
  return opened({ ...mounted(host.server, prefix), close: () => host.close() })
}

describe("what is not ours", () => {
  test("Express → its next handler, by default", async () => {
    const host = express()
      .use("/api", running.handler())
      .get("/api/theirs", (_, reply) => void reply.send("theirs"))
    const mounting = await served(host)
    expect((await ask(mounting, { path: "/theirs" })).body).toBe("theirs")
    expect((await ask(mounting, { path: "/nobodys" })).headers["content-type"]).toContain("text/html")
  })
  test("Express, notFound: own → our 404 behind the prefix, the host's before it", async () => {
    const host = express().use(running.handler({ prefix: "/api", notFound: "own" }), (_: unknown, reply: any) => reply.send("theirs"))
    const mounting = await served(host)
    expect(JSON.parse((await ask(mounting, { path: "/nobodys" })).body)).toMatchObject({ code: "NOT_FOUND", status: 404 })
    expect((await ask({ ...mounting, prefix: "" }, { path: "/apiary" })).body).toBe("theirs")
  })
  test("node:http without next → our 404", async () => {
    const mounting = await served(running.handler())
    expect(JSON.parse((await ask({ ...mounting, prefix: "" }, { path: "/nobodys" })).body)).toMatchObject({ code: "NOT_FOUND" })
  })
  test("Fastify → its own 404, behind the prefix too", async () => {
    const mounting = await fastifyHost(async (host) => {
      host.setNotFoundHandler((_, reply) => reply.code(404).send("theirs"))
      await host.register(running.plugin({ close: false }), { prefix: "/api" })
    })
    expect((await ask(mounting, { path: "/nobodys" })).body).toBe("theirs")
  })
})

describe("the host's rules", () => {
  test("a hook of Fastify that refuses → nobody is let through to us", async () => {
    const mounting = await fastifyHost(async (host) => {
      host.addHook("onRequest", async (_, reply) => reply.code(403).send("closed today"))
      await host.register(running.plugin({ close: false }), { prefix: "/api" })
    })
    expect(await ask(mounting, { path: "/hello" })).toMatchObject({ status: 403, body: "closed today" })
  })
  test("an error that a hook of Fastify throws → the host's error handler answers", async () => {
    const mounting = await fastifyHost(async (host) => {
      host.setErrorHandler((error: Error, _, reply) => reply.code(401).send(`theirs: ${error.message}`))
      host.addHook("onRequest", async () => {
        throw new Error("sign in first")
      })
      await host.register(running.plugin({ close: false }), { prefix: "/api" })
    })
    expect(await ask(mounting, { path: "/hello" })).toMatchObject({ status: 401, body: "theirs: sign in first" })
  })
  test("fields that its hooks set → are in our answers, refusals of unread bodies included", async () => {
    const mounting = await fastifyHost(async (host) => {
      host.addHook("onRequest", async (_, reply) => void reply.header("x-host", "yes"))
      await host.register(running.plugin({ close: false }), { prefix: "/api" })
    })
    expect((await ask(mounting, { path: "/hello" })).headers["x-host"]).toBe("yes")
    const large = { method: "POST", path: "/echo", headers: { "content-type": "application/json" }, body: Buffer.alloc(3_000_000, 32) }
    expect(await ask(mounting, large)).toMatchObject({ status: 413, headers: { "x-host": "yes" } })
  })
  test("a router of Fastify that ignores case and slashes → we do not", async () => {
    const host = fastify({ routerOptions: { caseSensitive: false, ignoreTrailingSlash: true } })
    await host.register(running.plugin({ close: false }))
    for (const url of ["/HELLO", "/hello/"]) expect((await host.inject(url)).json(), url).toMatchObject({ code: "NOT_FOUND" })
    expect((await host.inject("/hello")).body).toBe('"hello"')
    await host.close()
  })
  test("a handler that has answered already → is not disturbed", async () => {
    const ours = running.handler()
    const mounting = await served((request, response) => {
      ours(request, response)
      response.end("out of patience")
    })
    const waiting = ask({ ...mounting, prefix: "" }, { path: "/wait" })
    expect((await waiting).body).toBe("out of patience")
    release()
  })
})

describe("the prefix", () => {
  test("with parameters → the operation's input is not touched, and the document says the caller's", async () => {
    const mounting = await fastifyHost((host) => host.register(running.plugin({ close: false }), { prefix: "/:tenant/api" }), "/acme/api")
    expect((await ask(mounting, { path: "/hello" })).body).toBe('"hello"')
    expect(JSON.parse((await ask(mounting, { path: "/openapi.json" })).body).servers).toEqual([{ url: "/acme/api" }])
    const other = { ...mounting, prefix: "/umbrella/api" }
    expect(JSON.parse((await ask(other, { path: "/openapi.json" })).body).servers).toEqual([{ url: "/umbrella/api" }])
  })
  test.each([
    ["/api/", "/api"],
    ["/", ""],
  ])("%j in Fastify, which takes it for %j → found", async (prefix, seen) => {
    const mounting = await fastifyHost((host) => host.register(running.plugin({ close: false }), { prefix }), seen)
    expect((await ask(mounting, { path: "/hello" })).body).toBe('"hello"')
    expect(JSON.parse((await ask(mounting, { path: "/openapi.json" })).body).servers).toEqual(seen === "" ? undefined : [{ url: seen }])
  })
  test("of an Express router in a router → the whole of it", async () => {
    const inner = express.Router().use("/v1", running.handler())
    const mounting = await served(express().use("/api", inner))
    const document = await ask({ ...mounting, prefix: "/api/v1" }, { path: "/openapi.json?x=1" })
    expect(JSON.parse(document.body).servers).toEqual([{ url: "/api/v1" }])
  })
  test.each(["api", "/api/", "/", "/a b", "/a?b"])("%j → START_REFUSED with TRS1034", async (prefix) => {
    expect(() => running.handler({ prefix })).toThrow(TrestleError)
    expect(() => running.handler({ prefix })).toThrow("TRS1034")
    await expect(running.fetch(new Request("http://host.test/hello"), { prefix })).rejects.toThrow("TRS1034")
  })
})

describe("a caller who leaves", () => {
  const leave = async (port: number, path: string): Promise<void> => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`GET ${path} HTTP/1.1\r\nhost: a.test\r\n\r\n`))
    await began
    socket.destroy()
    await expect.poll(() => stopped).toBe(true)
  }
  test("node:http → the read is stopped", async () => leave((await served(running.handler())).port, "/wait"))
  test("the Fastify plugin → the read is stopped", async () => {
    const { port } = await fastifyHost((host) => host.register(running.plugin({ close: false }), { prefix: "/api" }))
    await leave(port, "/api/wait")
  })
  test("fetch → the read is stopped when the signal says so, and the answer says it", async () => {
    const leaving = new AbortController()
    const answer = running.fetch(new Request("http://host.test/wait", { signal: leaving.signal }))
    await began
    leaving.abort()
    expect(JSON.parse(await (await answer).text())).toMatchObject({ code: "CANCELLED" })
    expect(stopped).toBe(true)
  })
})

describe("the body", () => {
  const expecting = (port: number, path: string): Promise<string> =>
    new Promise((resolve) => {
      let text = ""
      const head = `POST ${path} HTTP/1.1\r\nhost: a.test\r\ncontent-type: application/json\r\ncontent-length: 13\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n`
      const socket = connect(port, "127.0.0.1", () => socket.write(head))
      let isSent = false
      socket.on("data", (chunk) => {
        text += chunk
        if (!isSent && text.includes("100 Continue")) isSent = socket.write('{"text":"hi"}') || true
      })
      socket.on("close", () => resolve(text))
    })
  test.each(["own server", "node:http", "Fastify"])("%s: Expect: 100-continue → invited once, then answered", async (where) => {
    const ports: Record<string, () => Promise<number>> = {
      "own server": async () => Number(new URL((await running.listen({ port: 0 })).url).port),
      "node:http": async () => (await served(running.handler())).port,
      Fastify: async () => (await fastifyHost((host) => host.register(running.plugin({ close: false })), "")).port,
    }
    const text = await expecting(await ports[where]!(), "/echo")
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 201"])
  })

  test("fetch: one without an end → 413 at the limit, and no more of it is read", async () => {
    let pulled = 0
    let isCancelled = false
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(32))
      },
      cancel: () => {
        isCancelled = true
      },
    })
    const init = { method: "POST", headers: { "content-type": "application/json" }, body, duplex: "half" }
    expect((await running.fetch(new Request("http://host.test/echo", init as RequestInit))).status).toBe(413)
    expect([isCancelled, pulled < 2_500_000]).toEqual([true, true])
  })
  test("fetch: one that breaks → CANCELLED", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error("lost")) })
    const init = { method: "POST", headers: { "content-type": "application/json" }, body, duplex: "half" }
    const answer = await running.fetch(new Request("http://host.test/echo", init as RequestInit))
    expect(JSON.parse(await answer.text())).toMatchObject({ code: "CANCELLED" })
  })
  test("one that comes too slowly → 408 within 10 s, in every mounting", async () => {
    const ports = [
      (await served(running.handler())).port,
      (await fastifyHost((host) => host.register(running.plugin({ close: false })), "")).port,
    ]
    const slow = (port: number): Promise<string> =>
      new Promise((resolve) => {
        let text = ""
        const head = "POST /echo HTTP/1.1\r\nhost: a.test\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"
        const socket = connect(port, "127.0.0.1", () => socket.write(head))
        socket.on("data", (chunk) => {
          text += chunk
        })
        socket.on("close", () => resolve(text))
      })
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) })
    const init = { method: "POST", headers: { "content-type": "application/json" }, body, duplex: "half" }
    const [node, plugin, fetched] = await Promise.all([
      ...ports.map(slow),
      running.fetch(new Request("http://host.test/echo", init as RequestInit)),
    ])
    expect([node, plugin].map((text) => (text as string).slice(9, 12))).toEqual(["408", "408"])
    expect((fetched as Response).status).toBe(408)
  })
})

describe("the end", () => {
  test("Fastify closes → calls under way are answered, then the application is closed", async () => {
    const host = fastify()
    await host.register(running.plugin(), { prefix: "/api" })
    await host.listen({ port: 0 })
    const answer = ask(mounted(host.server), { path: "/wait" })
    await began
    const closing = host.close()
    release()
    expect((await answer).body).toBe('"waited"')
    await closing
    expect((await running.fetch(new Request("http://host.test/hello"))).status).toBe(503)
  })
  test("Fastify closes, close: false → the application goes on", async () => {
    const host = fastify()
    await host.register(running.plugin({ close: false }), { prefix: "/api" })
    await host.ready()
    await host.close()
    expect((await running.fetch(new Request("http://host.test/hello"))).status).toBe(200)
  })
  test("the application closes before its host → new calls 503 with Retry-After, those under way are answered, probes say so", async () => {
    const mounting = { ...(await served(running.handler())), prefix: "" }
    const answer = ask(mounting, { path: "/wait" })
    await began
    const closing = running.close()
    expect(await ask(mounting, { path: "/hello" })).toMatchObject({ status: 503, headers: { "retry-after": "1" } })
    expect((await ask(mounting, { path: "/health/ready" })).status).toBe(503)
    expect((await ask(mounting, { path: "/health/live" })).status).toBe(200)
    release()
    expect((await answer).body).toBe('"waited"')
    await closing
  })
})
