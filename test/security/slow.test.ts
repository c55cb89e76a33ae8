// Slow clients, in real time and all at once: each is closed within 15 s, and nobody else waits.
import { connect } from "node:net"
import { afterAll, beforeAll, describe, test } from "vitest"
import { expectHealthy, only } from "./kit/expectations.ts"
import { post, raw, request } from "./kit/raw.ts"
import { openWorld, ran, type World } from "./kit/world.ts"

let w: World
beforeAll(async () => {
  w = await openWorld()
})
afterAll(async () => {
  await expectHealthy(w)
  await w.close()
})

describe.concurrent("slow clients", { timeout: 25_000 }, () => {
  const drip = (bytes: string, first: number) => async (): Promise<Awaited<ReturnType<typeof raw>>> =>
    raw(w.port, bytes.slice(0, first), {
      withinMs: 16_000,
      then: (socket) => {
        let at = first
        const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write(bytes[at++] ?? "x")), 500)
        socket.on("close", () => clearInterval(timer))
      },
    })
  const body = '{"name":"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz"}'
  // Vitest runs five at once: more tests would wait for each other.
  test("head: drop by drop, or nothing more → 408 and closed within 15 s", async ({ expect }) => {
    const heads = [drip(request("GET /open", { x: "y".repeat(500) }), 5), drip("GET /open HTTP/1.1\r\nhost:", 20)]
    for (const exchange of await Promise.all(heads.map((start) => start()))) {
      expect(exchange.ended).toBe("closed")
      expect(only(exchange).status).toBe(408)
    }
  })
  test("body: drop by drop, or nothing of it → 408 and closed within 15 s, the operation not run", async ({ expect }) => {
    const bytes = post("/things", body, { "x-api-key": w.key })
    const bodies = [drip(bytes, bytes.length - body.length + 3), drip(bytes, bytes.length - body.length)]
    for (const exchange of await Promise.all(bodies.map((start) => start()))) {
      expect(exchange.ended).toBe("closed")
      expect(only(exchange).status).toBe(408)
    }
    expect(ran).not.toContain("create")
  })
  test("not one byte → closed within 15 s", async ({ expect }) =>
    expect((await raw(w.port, "", { withinMs: 16_000 })).ended).not.toBe("open"))
  test("an answer that is not read → closed within 15 s", async ({ expect }) => {
    const { bytes, isClosed } = await new Promise<{ bytes: number; isClosed: boolean }>((resolve) => {
      let bytes = 0
      const socket = connect(w.port, "127.0.0.1", () => socket.write(request("GET /big")))
      socket.pause()
      const end = (isClosed: boolean): void => {
        socket.destroy()
        resolve({ bytes, isClosed })
      }
      // Nothing can be seen without reading; what the systems had in store comes, and then the end.
      setTimeout(() => socket.resume(), 14_000)
      setTimeout(() => end(false), 16_000)
      socket.on("data", (chunk) => {
        bytes += chunk.length
      })
      socket.on("error", () => end(true)).on("close", () => end(true))
    })
    expect(isClosed).toBe(true)
    expect(bytes).toBeLessThan(20_000_000)
  })
  test("300 slow heads and 100 slow bodies → others are answered at once", async ({ expect }) => {
    const bytes = post("/poke", "null")
    const slowOnes = [
      ...Array.from({ length: 300 }, () => raw(w.port, "GET /open HTTP/1.1\r\nhost: a\r\n", { withinMs: 15_000 })),
      ...Array.from({ length: 100 }, () => raw(w.port, bytes.slice(0, -2), { withinMs: 15_000 })),
    ]
    const took: number[] = []
    for (let i = 0; i < 100; i++) took.push((await raw(w.port, request("GET /open"), { answers: 1 })).ms)
    expect(took.sort((a, b) => a - b)[95]).toBeLessThan(300)
    for (const { ended } of await Promise.all(slowOnes)) expect(ended).not.toBe("open")
  })
})
