// The end of the process: nothing that was taken is lost, nothing hangs for longer than 10 s, and what is stuck is named.
import { once } from "node:events"
import { Agent, get } from "node:http"
import { connect, type Socket } from "node:net"
import { describe, test } from "vitest"
import { expectProblem, only } from "./kit/expectations.ts"
import { post, raw, request } from "./kit/raw.ts"
import { serverProcess } from "./kit/server-process.ts"
import { openWorld } from "./kit/world.ts"

/** One request over kept-alive connections; the code of what went wrong, where no answer came. */
function ask(agent: Agent, port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const request = get({ agent, port, host: "127.0.0.1", path: "/open" }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode!))
    })
    // A connection that the system has made and the process never saw is refused as well, only later.
    request.on("error", ({ code, message }: NodeJS.ErrnoException) =>
      resolve(code === "ECONNRESET" && !request.reusedSocket ? "ECONNREFUSED" : (code ?? message)),
    )
  })
}

/** A connection that has been answered and is kept. */
async function idleConnection(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1")
  socket.write(request("GET /open"))
  await once(socket, "data")
  return socket.resume()
}

describe.concurrent("close", { timeout: 30_000 }, () => {
  test("under keep-alive load → every request that was taken is answered with 200; later ones are refused by the system", async ({
    expect,
  }) => {
    await using server = await serverProcess()
    const agent = new Agent({ keepAlive: true, maxSockets: 32 })
    const results: (number | string)[] = []
    let stopping: ReturnType<typeof server.stop> | null = null
    const worker = async (): Promise<void> => {
      for (;;) {
        const result = await ask(agent, server.port)
        results.push(result)
        if (result === "ECONNREFUSED") return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const workers = Array.from({ length: 32 }, worker)
    await new Promise((resolve) => setTimeout(resolve, 500))
    stopping = server.stop()
    await Promise.all(workers)
    const { ms, code } = await stopping
    agent.destroy()
    const lost = results.filter((result) => result !== 200 && result !== "ECONNREFUSED")
    expect(results.length).toBeGreaterThan(2 * 32)
    expect(lost).toEqual([])
    expect(code).toBe(0)
    expect(ms).toBeLessThan(3_000)
    expect(server.said).toEqual([{ closed: true, stuck: null }])
  })
  test("a call under way → answered, its connection ended; the process is gone right after", async ({ expect }) => {
    await using server = await serverProcess()
    const call = raw(server.port, post("/slow", '{"ms":2500}'), { withinMs: 6_000 })
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { ms } = await server.stop()
    const exchange = await call
    expect(only(exchange)).toMatchObject({ status: 201, body: '"done"', headers: { connection: "close" } })
    expect(exchange.ended).toBe("closed")
    expect(ms).toBeLessThan(4_000)
  })
  test("calls that hang → ended within 10 s, answered, and named in the log", async ({ expect }) => {
    await using server = await serverProcess()
    const hanging = raw(server.port, request("GET /hang"), { withinMs: 14_000 })
    const writing = raw(server.port, post("/slow", '{"ms":14000}'), { withinMs: 14_000 })
    const uploading = raw(server.port, post("/poke", "null").slice(0, -1), { withinMs: 14_000 })
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { ms, code } = await server.stop()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(10_300)
    expectProblem(only(await hanging), 499)
    expect(expectProblem(only(await writing), 502).outcome).toBe("unknown")
    await uploading
    const { stuck } = server.said.at(-1) as { stuck: string }
    expect(stuck).toMatch(/"hang"/)
    expect(stuck).toMatch(/"slow"/)
  })
  test("an idle kept-alive connection → does not hold the end up", async ({ expect }) => {
    const w = await openWorld()
    const idle = await idleConnection(w.port)
    const closed = once(idle, "close")
    const startedAt = performance.now()
    await w.close()
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await closed
  })
  test("readiness → 503 from the first moment on, while calls are still taken", async ({ expect }) => {
    const w = await openWorld()
    const idle = await idleConnection(w.port)
    const closing = w.close()
    const asked = ["/health/ready", "/open", "/health/live"].map((path) => raw(w.port, request(`GET ${path}`)))
    const [ready, open, live] = (await Promise.all(asked)).map(only)
    expect(ready).toMatchObject({ status: 503, headers: { connection: "close" } })
    expect([open!.status, live!.status]).toEqual([200, 200])
    await Promise.all([closing, idle.destroyed || once(idle, "close")])
  })
  test("no connection at all → at once; twice → the same end", async ({ expect }) => {
    const w = await openWorld()
    const startedAt = performance.now()
    await Promise.all([w.close(), w.close()])
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})
