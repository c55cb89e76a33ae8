// The rules of failure.md, "Outcomes" and what follows from them: a row for each failure of each connector, made at a real server that
// counts what arrives. A connector joins by its rows.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { type Backend, code, fallback, op, type Policy, rest, value } from "../../src/index.ts"
import { findPostgres } from "../servers/postgres.ts"
import { type Expected, expectedOf, type FaultRow, type FaultyServer, type Kind, RETRIES, started } from "./kit/fault.ts"
import { postgresFaults } from "./kit/postgres-faults.ts"
import { Receiver } from "./kit/receiver.ts"
import { REST_FAULTS, restCalls, WELL } from "./kit/rest-faults.ts"
import { SQLITE_FAULTS } from "./kit/sqlite-faults.ts"

const postgresServer = await findPostgres()

const CONNECTORS: Readonly<Record<string, { readonly rows: readonly FaultRow[]; readonly kinds: readonly Kind[] }>> = {
  rest: { rows: REST_FAULTS, kinds: ["read", "write", "natural", "keyed"] },
  // A statement that writes promises nothing about a second time.
  sqlite: { rows: SQLITE_FAULTS, kinds: ["read", "write"] },
  ...(postgresServer === null ? {} : { postgres: { rows: postgresFaults(postgresServer), kinds: ["read", "write"] } }),
}

const Thing = z.object({ id: z.string(), name: z.string() })
const ADA = { id: "7", name: "Ada" }
/** A backoff that does not wait, and no breaker, so that each test shows one rule. */
const ATTEMPTS: Policy = { breaker: false, retry: { times: RETRIES, backoff: "1ms" }, timeout: "150ms" }
/** One failure opens it. */
const BRITTLE: Policy = { breaker: { failures: 1, of: 1, rest: "60s" }, retry: 0, timeout: "150ms" }

const opOf = (kind: Kind, backend: Backend<any, any, "GONE">) =>
  op({ effect: kind === "read" ? "read" : "write", input: Thing, output: Thing, errors: { GONE: 410 } }).via(backend)

/** One call under the fault: what its caller heard, how many attempts it took, and what arrived. */
async function under(server: FaultyServer, kind: Kind): Promise<Expected> {
  await using app = await started({ it: opOf(kind, server.declare(ATTEMPTS)[kind]!) })
  await server.begin?.()
  const result = await app.ask.it.safe(ADA)
  const { attempts } = app.records.at(-1)!.meta
  await server.count?.()
  return { code: result.code, outcome: result.outcome, attempts, arrived: server.arrived(kind) }
}

/** Whether one failure has opened the breaker: the next call, with everything well again, is not let through. */
async function opensBreaker(row: FaultRow, kind: Kind): Promise<boolean> {
  await using server = await row.open()
  await using app = await started({ it: opOf(kind, server.declare(BRITTLE)[kind]!) })
  await server.begin?.()
  await app.ask.it.safe(ADA)
  await server.mend()
  await app.ask.it.safe(ADA)
  return app.records.at(-1)?.error?.reason === "circuit-open"
}

for (const [connector, { rows, kinds }] of Object.entries(CONNECTORS))
  describe(connector, () => {
    for (const row of rows)
      describe(`${row.rule}: ${row.fault}`, () => {
        const concerned = kinds.filter((kind) => row.kinds === undefined || row.kinds.includes(kind))
        for (const kind of concerned) {
          const expected = expectedOf(row, kind)
          const { code, outcome, attempts, arrived } = expected
          test(`${kind} → ${outcome}, ${code}; ${attempts} attempt(s), of which ${arrived} arrive`, async () => {
            await using server = await row.open()
            expect(await under(server, kind)).toEqual(expected)
          })
        }

        test(`→ the breaker ${row.feedsBreaker ? "hears of it" : "does not hear of it"}`, async () => {
          expect(await opensBreaker(row, concerned[0]!)).toBe(row.feedsBreaker)
        })

        if (!concerned.includes("read")) return
        test(`a read → ${row.outcome === "answered" ? "never replaced by" : "falls back to"} another answer`, async () => {
          await using server = await row.open()
          const { read } = server.declare({ ...ATTEMPTS, retry: 0 })
          await using app = await started({ it: opOf("read", fallback(read!, value({ id: "0", name: "another" }))) })
          await server.begin?.()
          const result = await app.ask.it.safe(ADA)
          if (row.outcome === "answered") expect(result).toMatchObject({ ok: false, code: row.code })
          else expect(result).toMatchObject({ ok: true, meta: { servedBy: "value", degraded: { why: expect.stringContaining("faulty") } } })
        })
      })
  })

describe("writes fall back only after refused, only to a replica", () => {
  for (const row of REST_FAULTS)
    test(`${row.fault}: ${row.outcome} → the replica gets ${row.outcome === "refused" ? "it, once" : "nothing"}`, async () => {
      await using server = await row.open()
      await using replica = await Receiver.open(WELL)
      const { service, calls } = server.declareService!({ ...ATTEMPTS, retry: 0 })
      const second = restCalls(rest({ url: replica.url, name: "replica", replicaOf: service }))
      await using app = await started({ it: opOf("write", fallback(calls.write!, second.write!)) })
      const result = await app.ask.it.safe(ADA)
      expect(replica.arrivals.length).toBe(row.outcome === "refused" ? 1 : 0)
      expect(result.ok).toBe(row.outcome === "refused")
      if (result.ok) expect(result.meta).toMatchObject({ servedBy: "replica", degraded: { why: expect.stringContaining("faulty") } })
    })
})

describe("refused, before anything leaves", () => {
  test("open breaker: refused, nothing arrives; a read falls back, and a write to its replica", async () => {
    await using receiver = await Receiver.open(WELL)
    await using replica = await Receiver.open(WELL)
    const service = rest({ url: receiver.url, name: "faulty", policy: BRITTLE })
    const second = restCalls(rest({ url: replica.url, name: "replica", replicaOf: service }))
    const calls = restCalls(service)
    await using app = await started({
      read: opOf("read", calls.read!),
      write: opOf("write", calls.write!),
      readOr: opOf("read", fallback(calls.read!, value(ADA))),
      writeOr: opOf("write", fallback(calls.write!, second.write!)),
    })
    receiver.behaviour = (socket) => socket.resetAndDestroy()
    await app.ask.read.safe(ADA)
    const arrived = receiver.arrivals.length
    for (const name of ["read", "write"]) {
      expect(await app.ask[name].safe(ADA)).toMatchObject({ code: "UNAVAILABLE", outcome: "refused", retryAfterMs: expect.any(Number) })
      expect(app.records.at(-1)).toMatchObject({ meta: { attempts: 0 }, error: { reason: "circuit-open" } })
    }
    expect(await app.ask.readOr.safe(ADA)).toMatchObject({ ok: true, meta: { servedBy: "value", attempts: 0 } })
    expect(await app.ask.writeOr.safe(ADA)).toMatchObject({ ok: true, meta: { servedBy: "replica" } })
    expect([receiver.arrivals.length, replica.arrivals.length]).toEqual([arrived, 1])
  })

  test("full bulkhead: refused, nothing arrives, the breaker does not hear of it; a read falls back, and a write to its replica", async () => {
    await using receiver = await Receiver.open(() => undefined)
    await using replica = await Receiver.open(WELL)
    const service = rest({ url: receiver.url, name: "faulty", policy: { ...BRITTLE, timeout: "30s", concurrency: 1, queue: 0 } })
    const second = restCalls(rest({ url: replica.url, name: "replica", replicaOf: service }))
    const calls = restCalls(service)
    await using app = await started({
      read: opOf("read", calls.read!),
      write: opOf("write", calls.write!),
      readOr: opOf("read", fallback(calls.read!, value(ADA))),
      writeOr: opOf("write", fallback(calls.write!, second.write!)),
    })
    const first = new AbortController()
    const holding = app.ask.read.safe(ADA, { signal: first.signal })
    await receiver.until(() => receiver.arrivals.length === 1, "the first call did not arrive")
    for (const name of ["read", "write"]) {
      expect(await app.ask[name].safe(ADA)).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
      expect(app.records.at(-1)).toMatchObject({ meta: { attempts: 0 }, error: { reason: "bulkhead-full" } })
    }
    expect(await app.ask.readOr.safe(ADA)).toMatchObject({ ok: true, meta: { servedBy: "value", attempts: 0 } })
    expect(await app.ask.writeOr.safe(ADA)).toMatchObject({ ok: true, meta: { servedBy: "replica" } })
    expect([receiver.arrivals.length, replica.arrivals.length]).toEqual([1, 1])
    first.abort()
    await holding
    receiver.behaviour = WELL
    expect(await app.ask.read.safe(ADA)).toMatchObject({ ok: true })
  })
})

describe("unknown, in other ways", () => {
  for (const kind of ["read", "write", "natural", "keyed"] as const)
    test(`a reset kept-alive socket too: ${kind} → ${kind === "write" ? "unknown, sent once" : "sent again, on a new connection"}`, async () => {
      await using receiver = await Receiver.open(WELL)
      const calls = restCalls(rest({ url: receiver.url, policy: { ...ATTEMPTS, concurrency: 1 } }))
      await using app = await started({ it: opOf(kind, calls[kind]!) })
      await app.ask.it(ADA)
      // The kept connection is torn down by the very request that uses it again; a new one is well.
      const kept = receiver.connected
      receiver.behaviour = (socket, arrival) => (receiver.connected === kept ? socket.resetAndDestroy() : WELL(socket, arrival))
      const result = await app.ask.it.safe(ADA)
      if (kind === "write") expect(result).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
      else expect(result).toMatchObject({ ok: true, meta: { attempts: 2 } })
      expect(receiver.arrivals.length).toBe(kind === "write" ? 2 : 3)
    })

  test("a throw from code() of a write → unknown; of a read → refused", async () => {
    const throws = code(() => {
      throw new Error("half way")
    })
    await using app = await started({ read: opOf("read", throws), write: opOf("write", throws) })
    expect(await app.ask.write.safe(ADA)).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
    expect(await app.ask.read.safe(ADA)).toMatchObject({ code: "INTERNAL", outcome: "refused" })
  })

  for (const [what, spec] of [
    ["response", { response: z.object({ uid: z.string() }) }],
    [
      "map",
      {
        map: () => {
          throw new Error("not as expected")
        },
      },
    ],
    ["output", { map: () => ({ id: 7 }) as never }],
  ] as const)
    test(`a reply that fails \`${what}\` → a write is unknown, sent once; a read counts it as a failure that a fallback may take`, async () => {
      await using receiver = await Receiver.open(WELL)
      const service = rest({ url: receiver.url, name: "faulty", policy: { ...ATTEMPTS, breaker: { failures: 1, of: 1, rest: "60s" } } })
      await using app = await started({
        write: opOf("write", service.call("PUT /things", spec as object)),
        read: opOf("read", fallback(service.call("GET /things", spec as object), value(ADA))),
      })
      expect(await app.ask.write.safe(ADA)).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
      expect(receiver.arrivals.length).toBe(1)
      expect(await app.ask.read.safe(ADA)).toMatchObject({ ok: true, meta: { servedBy: "value", attempts: 1 } })
      expect(receiver.arrivals.length).toBe(2)
    })
})
