import { describe, expect, test } from "vitest"
import { z } from "zod"
import { code } from "../backends/code.ts"
import { placeholder } from "../backends/placeholder.ts"
import type { Meta } from "../contract/call.ts"
import { op } from "../contract/op.ts"
import type { CallRecord } from "../contract/ports.ts"
import { anyone } from "../contract/principal.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { checkDeclarations } from "../runtime/check.ts"
import { FakeClock } from "../testing/fake-clock.ts"
import type { EvidenceChanges } from "./evidence-file.ts"
import { LiveEvidence } from "./live-evidence.ts"

const contract = { input: z.object({}), output: z.object({}) }
const real = code<Record<string, never>, Record<string, never>>(() => ({}))
const { operations } = checkDeclarations(
  {
    one: op({ http: "GET /one", ...contract, allow: anyone("test") }).via(real),
    two: op({ http: "GET /two", ...contract, allow: anyone("test") }).via(real),
    stub: op({ http: "GET /stub", ...contract, allow: anyone("test") }).via(placeholder({}, "why")),
    inside: op({ effect: "read", ...contract }).via(real),
  },
  {},
)

function watch(write: (changes: EvidenceChanges) => Promise<void> = async () => {}) {
  const clock = new FakeClock()
  const written: EvidenceChanges[] = []
  const failures: unknown[] = []
  const live = new LiveEvidence({
    operations,
    clock,
    write: async (changes) => {
      written.push(changes)
      await write(changes)
    },
    failed: (error) => failures.push(error),
  })
  const call = (operation: string, more: Partial<CallRecord> & { meta?: Partial<Meta> } = {}): void =>
    live.note({
      operation,
      entrance: "http",
      principal: null,
      epoch: clock.epoch(),
      error: null,
      status: 200,
      route: null,
      ...more,
      meta: { servedBy: "crm", attempts: 1, ms: 3.4, degraded: false, trace: "", ...more.meta },
    })
  return { clock, live, call, written, failures }
}

describe("what counts as live", () => {
  test("an answer over HTTP → noted once, with who answered", async () => {
    const { clock, call, written } = watch()
    for (let n = 0; n < 5; n++) call("one")
    expect(written).toEqual([])
    await clock.advance(1_000)
    const sighting = { contract: operations[0]!.contractHash, backend: "code", servedBy: "crm", ms: 3, count: 1, epoch: expect.any(Number) }
    expect(written).toEqual([{ one: { live: sighting } }])
  })
  test.each<[string, string, object]>([
    ["a failure", "one", { error: new TrestleError("UNAVAILABLE") }],
    ["a degraded answer", "one", { meta: { degraded: { why: "down" } } }],
    ["a kept answer, whoever made it", "one", { meta: { servedBy: "cache", ageMs: 5 } }],
    ["a placeholder inside", "one", { meta: { servedBy: "crm+placeholder" } }],
    ["a call in process", "one", { entrance: "in-process" }],
    ["a nested call", "one", { entrance: "nested" }],
    ["a placeholder", "stub", {}],
    ["an internal operation", "inside", {}],
    ["a request that named none", "-", {}],
  ])("%s → not noted", async (_, operation, more) => {
    const { clock, call, live, written } = watch()
    call(operation, more)
    await clock.advance(1_000)
    await live.close()
    expect(written).toEqual([])
  })
  test("not noted, then a good answer → noted", async () => {
    const { call, live, written } = watch()
    call("one", { error: new TrestleError("UNAVAILABLE") })
    call("one")
    await live.close()
    expect(written.length).toBe(1)
  })
})

test("an hour later → noted again", async () => {
  const { clock, call, written } = watch()
  call("one")
  await clock.advance(3_599_999)
  call("one")
  await clock.advance(1_000)
  call("one")
  await clock.advance(1_000)
  expect(written.map((changes) => Object.keys(changes))).toEqual([["one"], ["one"]])
})

test("several within a second → written together", async () => {
  const { clock, call, written } = watch()
  call("one")
  call("two")
  await clock.advance(1_000)
  expect(written.map((changes) => Object.keys(changes))).toEqual([["one", "two"]])
})

test("close → writes what was seen at once", async () => {
  const { call, live, written } = watch()
  call("one")
  await live.close()
  expect(written.length).toBe(1)
})

test("before it is written → on the board already", () => {
  const { call, live } = watch()
  call("one")
  expect(live.over({})).toMatchObject({ one: { live: { servedBy: "crm" } } })
})

test("a disk that cannot be written → said once, then it stays silent", async () => {
  const { clock, call, live, written, failures } = watch(() => Promise.reject(new Error("EROFS")))
  call("one")
  await clock.advance(1_000)
  await live.close()
  call("two")
  await clock.advance(7_200_000)
  call("two")
  await clock.advance(1_000)
  await live.close()
  expect([written.length, failures.length]).toEqual([1, 1])
})
