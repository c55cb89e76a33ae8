// How an application stands with its services: seen by its own code, in metrics, events, over HTTP and on the command line; isolated by hand.
import { describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { Redactor } from "../../src/base/redact.ts"
import type { Principal } from "../../src/contract/principal.ts"
import { env, fallback, op, type Running, rest, trestle, value } from "../../src/index.ts"
import { openLog } from "../../src/telemetry/call-log.ts"
import { FakeClock } from "../../src/testing/index.ts"
import { folder, json, trestle as trestleCli } from "../cli/kit.ts"

const crm = rest({ url: env("CRM_URL"), policy: { retry: 0, timeout: "1s", breaker: { failures: 2, of: 4, rest: "5s", probes: 2 } } })
const plain = rest({ url: env("PLAIN_URL"), policy: { breaker: false, concurrency: "adaptive" } })
const other = rest({ url: env("OTHER_URL") })
const read = { effect: "read", input: z.object({}), output: z.object({ name: z.string() }) } as const
const ops = {
  get: op(read).via(crm.call("GET /thing")),
  getOr: op(read).via(fallback(crm.call("GET /thing"), value({ name: "default" }))),
  add: op({ ...read, effect: "write" }).via(crm.call("POST /thing")),
  plain: op(read).via(plain.call("GET /thing")),
}
const app = trestle({ name: "services", ops, permissions: { operator: ["meta:read"] } })

const OPERATOR: Principal = { id: "olga", kind: "key", roles: ["operator"] }
const READER: Principal = { id: "rudi", kind: "key", roles: ["reader"] }

/** A started application whose services answer with that status; its clock stands still. */
async function given(clock = new FakeClock()) {
  const wire = { status: 200, sent: 0 }
  const lines: { msg: string; state?: string }[] = []
  const running: Running<typeof ops> = await startApp(app, {
    clock,
    references: { read: () => "http://service.test" },
    keptFolder: null,
    log: openLog({
      format: "json",
      level: "info",
      name: "",
      redactor: new Redactor(),
      destination: {
        write: (text: string) =>
          void lines.push(
            ...text
              .trim()
              .split("\n")
              .map((line) => JSON.parse(line)),
          ),
        close: async () => {},
      } as never,
    }),
    openAuthentication: async () => (head) => {
      const credential = head.headers.authorization
      return credential === "Bearer operator" ? OPERATOR : credential === "Bearer reader" ? READER : credential === undefined ? null : "bad"
    },
    transportOf: () => () => ({
      send: (_request, listener) => {
        wire.sent++
        listener.sent()
        listener.replied({ status: wire.status, headers: { "content-type": "application/json" }, body: '{"name":"Ada"}' })
        return { stop: () => {} }
      },
      open: () => ({ stop: () => {} }),
      close: async () => {},
    }),
  })
  onTestFinished(() => running.close())
  const call = running.internal()
  const fail = async (): Promise<void> => {
    wire.status = 503
    for (let i = 0; i < 2; i++) await call.get({}).catch(() => {})
    wire.status = 200
  }
  return { running, call, wire, clock, lines, fail, circuit: () => running.services()[0]!.circuit }
}

describe("services()", () => {
  test("each once, with circuit, attempts and places", async () => {
    const { running } = await given()
    expect(running.services()).toEqual([
      { service: "crm", kind: "rest", circuit: "closed", active: 0, waiting: 0, places: 128 },
      { service: "plain", kind: "rest", circuit: "closed", active: 0, waiting: 0, places: 20 },
    ])
  })
  test("a service that fails → open, half-open for two probes, closed", async () => {
    const { call, circuit, clock, fail } = await given()
    await fail()
    expect(circuit()).toBe("open")
    await clock.advance("5s")
    await call.get({})
    expect(circuit()).toBe("half-open")
    await call.get({})
    expect(circuit()).toBe("closed")
  })
})

describe("isolate", () => {
  test("nothing is sent, reads fall back, writes are refused; release → all as before", async () => {
    const { running, call, circuit, wire } = await given()
    running.isolate(crm)
    expect(circuit()).toBe("isolated")
    expect(await call.getOr({})).toEqual({ name: "default" })
    await expect(call.add({})).rejects.toMatchObject({ code: "UNAVAILABLE", outcome: "refused", reason: "circuit-open" })
    expect(wire.sent).toBe(0)
    running.release(crm)
    expect(await call.getOr({})).toEqual({ name: "Ada" })
  })
  test("however long → isolated still", async () => {
    const { running, circuit, clock } = await given()
    running.isolate(crm)
    await clock.advance("7d")
    expect(circuit()).toBe("isolated")
  })
  test("a service with `breaker: false` → all the same", async () => {
    const { running, call } = await given()
    running.isolate(plain)
    await expect(call.plain({})).rejects.toMatchObject({ reason: "circuit-open" })
    running.release(plain)
    expect(await call.plain({})).toEqual({ name: "Ada" })
  })
  test("release of a circuit that opened by itself → still open", async () => {
    const { running, circuit, fail } = await given()
    await fail()
    running.release(crm)
    expect(circuit()).toBe("open")
  })
  test("a service of no operation → a TypeError that names it", async () => {
    const { running } = await given()
    expect(() => running.isolate(other)).toThrow(/no operation of this application reaches other/)
  })
})

test("events: every change of a circuit, those for the worse as warnings", async () => {
  const { running, lines, fail } = await given()
  await fail()
  running.isolate(crm)
  running.release(crm)
  await running.close()
  const changes = lines.filter(({ state }) => state).map((line) => [(line as { level?: string }).level, line.state])
  expect(changes).toEqual([
    ["warn", "open"],
    ["warn", "isolated"],
    ["info", "closed"],
  ])
})

test("metrics: the state of each circuit, and what is under way", async () => {
  const { running } = await given()
  running.isolate(crm)
  const text = await running.metrics()
  expect(text).toContain('trestle_circuit_state{service="crm",state="isolated"} 1\n')
  expect(text).toContain('trestle_circuit_state{service="crm",state="closed"} 0\n')
  expect(text).toContain('trestle_circuit_state{service="plain",state="closed"} 1\n')
  expect(text).toContain('trestle_attempts_active{service="crm"} 0\n')
  expect(text).toContain('trestle_attempts_places{service="plain"} 20\n')
  expect(text).toContain("trestle_shed_total 0\n")
})

describe("GET /health/ready", () => {
  const ask = async (running: Running<typeof ops>, credential?: string): Promise<any> => {
    const headers = credential === undefined ? {} : { authorization: `Bearer ${credential}` }
    const response = await running.fetch(new Request("http://app.test/health/ready", { headers }))
    expect(response.status).toBe(200)
    return response.json()
  }
  test("a caller who may see the inside → circuits", async () => {
    const { running } = await given()
    running.isolate(crm)
    expect((await ask(running, "operator")).circuits).toEqual(running.services())
  })
  test.each([
    ["nobody", undefined],
    ["somebody else", "reader"],
    ["a bad credential", "wrong"],
  ])("%s → the probe's answer, without circuits", async (_who, credential) => {
    const { running } = await given()
    expect(await ask(running, credential)).toEqual({ status: "ready", services: {} })
  })
})

describe("trestle status --url", () => {
  test("a key that may see the inside → the table of services", async () => {
    const { running } = await given()
    running.isolate(crm)
    const { url } = await running.listen({ port: 0 })
    const cwd = folder({})
    const flags = ["status", "--url", url, "--key", "OPS_KEY"]
    const ran = await trestleCli(flags, { cwd, env: { OPS_KEY: "operator" } })
    expect(ran).toMatchObject({ code: 1, stderr: "" })
    expect(ran.stdout).toMatch(/^crm +rest +isolated +0 of 128 places$/m)
    expect(ran.stdout).toMatch(/^plain +rest +closed +0 of 20 places$/m)
    expect(json(await trestleCli([...flags, "--json"], { cwd, env: { OPS_KEY: "operator" } }))).toMatchObject({
      schema: "trestle.status/1",
      ok: false,
      summary: { url, ready: true, circuitsNotClosed: 1 },
      circuits: [{ service: "crm", circuit: "isolated" }, { service: "plain" }],
    })
  })
  test("without a key → whether it is ready, and what to do to see more", async () => {
    const { running } = await given()
    const { url } = await running.listen({ port: 0 })
    const ran = await trestleCli(["status", "--url", url], { cwd: folder({}) })
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining("ready"), stderr: expect.stringContaining("meta:read") })
  })
  test("nobody there → exit 4", async () => {
    const ran = await trestleCli(["status", "--url", "http://127.0.0.1:9"], { cwd: folder({}) })
    expect(ran).toMatchObject({ code: 4, stderr: expect.stringContaining("no answer from http://127.0.0.1:9") })
  })
  test("--key without --url → exit 2", async () => {
    expect(await trestleCli(["status", "--key", "OPS_KEY"], { cwd: folder({}) })).toMatchObject({ code: 2 })
  })
})
