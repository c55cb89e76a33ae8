import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { Store } from "../../src/contract/store.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { Schedules } from "../../src/durable/schedules.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { code, nothing, op, trestle } from "../../src/index.ts"
import { checkDeclarations } from "../../src/runtime/check.ts"
import { FakeClock, testApp } from "../../src/testing/index.ts"
import { memoryStore, random, remembering } from "../durable/kit.ts"

const START = Date.UTC(2026, 0, 1, 12, 7)
const at = (text: string): number => Date.parse(`2026-01-${text}Z`)
const cleaner = (every: "15m" | "1h" | { cron: string; zone?: string }, run: () => unknown = () => undefined) =>
  op({ every, effect: "write", repeat: "natural", input: nothing, output: nothing }).via(code(() => void run()))

describe("a scheduled operation", () => {
  test("first start → waits for its next time, then runs at each", async () => {
    let runs = 0
    await using t = await testApp(trestle({ name: "clean", ops: { clean: cleaner("15m", () => runs++) } }), { startsAt: START })
    await t.drain()
    expect(runs).toBe(0)
    await t.clock.advance("8m")
    await t.drain()
    expect(runs).toBe(1)
    await t.drain()
    expect(runs).toBe(1)
    await t.clock.advance("15m")
    await t.drain()
    expect(runs).toBe(2)
  })

  test("times that nobody was there for → one run for the last of them", async () => {
    let runs = 0
    await using t = await testApp(trestle({ name: "clean", ops: { clean: cleaner("15m", () => runs++) } }), { startsAt: START })
    await t.clock.advance("24h")
    await t.drain()
    expect(runs).toBe(1)
  })

  test("a cron expression in a zone → runs by its wall clock", async () => {
    let runs = 0
    const clean = cleaner({ cron: "30 13 * * *", zone: "Europe/Berlin" }, () => runs++)
    await using t = await testApp(trestle({ name: "clean", ops: { clean } }), { startsAt: START })
    await t.clock.advance("22m")
    await t.drain()
    expect(runs).toBe(0)
    await t.clock.advance("1m")
    await t.drain()
    expect(runs).toBe(1)
  })

  test("an input of optional fields → gets none of them", async () => {
    const inputs: unknown[] = []
    const clean = op({ every: "15m", effect: "read", input: z.object({ days: z.number().default(30) }), output: nothing }).via(
      code((input) => void inputs.push(input)),
    )
    await using t = await testApp(trestle({ name: "clean", ops: { clean } }), { startsAt: START })
    await t.clock.advance("8m")
    await t.drain()
    expect(inputs).toEqual([{ days: 30 }])
  })

  test("its call → is a schedule's, with the application's own authority", async () => {
    await using t = await testApp(trestle({ name: "clean", ops: { clean: cleaner("15m") } }), { startsAt: START })
    await t.clock.advance("8m")
    await t.drain()
    expect(t.calls()).toMatchObject([{ operation: "clean", entrance: "schedule", principal: null, error: null }])
  })

  test("a run that fails → is tried again", async () => {
    const runs: number[] = []
    const clock: { now(): number } = { now: () => t.clock.epoch() }
    const clean = cleaner("15m", () => {
      runs.push(clock.now())
      if (runs.length < 3) throw new TypeError("no")
    })
    await using t = await testApp(trestle({ name: "clean", ops: { clean } }), { startsAt: START })
    await t.clock.advance("8m")
    for (let i = 0; i < 4; i++) {
      await t.drain()
      await t.clock.advance("5s")
    }
    expect(runs).toHaveLength(3)
    expect(await t.jobs()).toEqual([])
  })
})

describe("several nodes", () => {
  const node = (store: Store, clock: FakeClock) => {
    const { operations } = checkDeclarations({ clean: cleaner("15m") }, {})
    const jobs = new Jobs({ store, operations: ["clean"], epoch: clock.epoch })
    let woken = 0
    const putting = (job: Parameters<Jobs["putting"]>[0]) => [jobs.putting(job)]
    const events = remembering()
    const schedules = new Schedules({ operations, store, clock, random, events, putting, woken: () => woken++ })
    return { schedules, jobs, told: events.told, woken: () => woken }
  }
  const ids = async (jobs: Jobs): Promise<string[]> => (await jobs.claim(10, 0)).jobs.map(({ id }) => id)

  test("at one time → one job, of whoever is first", async () => {
    const clock = new FakeClock(START)
    const { store, close } = await memoryStore(clock)
    const [one, other] = [node(store, clock), node(store, clock)]
    await Promise.all([one.schedules.open(), other.schedules.open()])
    await clock.advance("8m")
    await Promise.all([one.schedules.putDue(), other.schedules.putDue()])
    expect(await ids(one.jobs)).toEqual(["schedule/clean/2026-01-01T12:15:00.000Z"])
    expect([one.woken() + other.woken()]).toEqual([1])
    await close()
  })

  test("one whose clock is behind, after the job is done → does not put it again", async () => {
    const clock = new FakeClock(START)
    const { store, close } = await memoryStore(clock)
    const late = new FakeClock(START)
    const [one, other] = [node(store, clock), node(store, late)]
    await Promise.all([one.schedules.open(), other.schedules.open()])
    await clock.advance("8m")
    await one.schedules.putDue()
    const { jobs: claimed } = await one.jobs.claim(1, 0)
    await one.jobs.end([[claimed[0]!, { is: "done", answer: undefined }]])
    await late.advance("8m")
    await other.schedules.putDue()
    expect(await ids(other.jobs)).toEqual([])
    await close()
  })

  test("a clock that was a year ahead, and is set right → goes on by the right one", async () => {
    const clock = new FakeClock(START)
    const { store, close } = await memoryStore(clock)
    await node(store, new FakeClock(new Date("2027-01-01T12:07:00Z"))).schedules.open()
    const { schedules, jobs } = node(store, clock)
    await schedules.open()
    await schedules.putDue()
    expect(await ids(jobs)).toEqual([])
    await clock.advance("8m")
    await schedules.putDue()
    expect(await ids(jobs)).toEqual(["schedule/clean/2026-01-01T12:15:00.000Z"])
    await close()
  })

  test("times that pass while a run goes on, or waits → one run for all of them", async () => {
    const clock = new FakeClock(START)
    const { store, close } = await memoryStore(clock)
    const { schedules, jobs } = node(store, clock)
    await schedules.open()
    const quarter = async (): Promise<void> => {
      await clock.advance("15m")
      await schedules.putDue()
    }
    await quarter()
    const { jobs: running } = await jobs.claim(1, 3_600_000)
    for (let i = 0; i < 3; i++) await quarter()
    await jobs.end([[running[0]!, { is: "failed", error: new TrestleError("UNAVAILABLE"), delayMs: 0 }]])
    for (let i = 0; i < 3; i++) await quarter()
    expect(await store.read({ text: "select id, state from trestle_jobs order by seq", values: [] })).toMatchObject([
      { id: "schedule/clean/2026-01-01T12:15:00.000Z", state: "waiting" },
      { id: "schedule/clean/2026-01-01T12:30:00.000Z", state: "waiting" },
    ])
    await close()
  })

  test("a clock that was an hour ahead, and is set right → puts none of its times twice, and says so once", async () => {
    const clock = new FakeClock(START)
    const { store, close } = await memoryStore(clock)
    await node(store, new FakeClock(START + 3_600_000)).schedules.open()
    const { schedules, told } = node(store, clock)
    await schedules.open()
    for (let i = 0; i < 4; i++) {
      await schedules.putDue()
      await clock.advance("10m")
    }
    expect(told).toEqual([expect.stringContaining("clean was last put for 2026-01-01T13:00:00.000Z, by a clock that was ahead")])
    await clock.advance("30m")
    await schedules.putDue()
    expect(await store.read({ text: "select id from trestle_jobs", values: [] })).toHaveLength(1)
    await close()
  })

  test("started → puts them by itself, at their times", async () => {
    const clock = new FakeClock(START)
    const { store, close } = await memoryStore(clock)
    const { schedules, jobs } = node(store, clock)
    await schedules.open()
    schedules.start()
    await clock.advance("7m")
    expect(await jobs.nextDueMs()).toBeNull()
    await clock.advance("1m")
    expect(await ids(jobs)).toEqual(["schedule/clean/2026-01-01T12:15:00.000Z"])
    schedules.stop()
    await clock.advance("1h")
    expect(await store.read({ text: "select at from trestle_schedules", values: [] })).toMatchObject([{ at: at("01T12:15") }])
    await close()
  })
})
