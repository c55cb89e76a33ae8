import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { Alarms } from "./alarms.ts"

/** Alarms on a scripted clock: the platform's timers and the time they ask for move together. */
describe("alarms", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function scripted() {
    const startedAt = Date.now()
    const alarms = new Alarms(() => Date.now() - startedAt)
    const rung: string[] = []
    const arm = (name: string, delayMs: number, also?: () => void) =>
      alarms.after(delayMs, {
        ring: () => {
          rung.push(`${name} at ${Date.now() - startedAt}`)
          also?.()
        },
      })
    return { alarms, rung, arm }
  }

  test("ring once, in the order of their times", () => {
    const { rung, arm } = scripted()
    arm("late", 300)
    arm("early", 100)
    arm("early too", 100)
    vi.advanceTimersByTime(1_000)
    expect(rung).toEqual(["early at 100", "early too at 100", "late at 300"])
  })
  test("one list, armed at different times → each at its own", () => {
    const { rung, arm } = scripted()
    arm("a", 100)
    vi.advanceTimersByTime(60)
    arm("b", 100)
    vi.advanceTimersByTime(99)
    expect(rung).toEqual(["a at 100"])
    vi.advanceTimersByTime(1)
    expect(rung).toEqual(["a at 100", "b at 160"])
  })
  test.each(["first", "middle", "last"])("the %s of a list cancelled → the others ring", (which) => {
    const { alarms, rung, arm } = scripted()
    const all = { first: arm("first", 50), middle: arm("middle", 50), last: arm("last", 50) }
    alarms.cancel(all[which as keyof typeof all])
    vi.advanceTimersByTime(50)
    expect(rung).toEqual(["first", "middle", "last"].filter((name) => name !== which).map((name) => `${name} at 50`))
  })
  test("cancelled twice, or after it rang → nothing", () => {
    const { alarms, rung, arm } = scripted()
    const gone = arm("gone", 10)
    alarms.cancel(gone)
    alarms.cancel(gone)
    const rang = arm("rang", 10)
    vi.advanceTimersByTime(10)
    alarms.cancel(rang)
    arm("next", 10)
    alarms.cancel(rang)
    vi.advanceTimersByTime(10)
    expect(rung).toEqual(["rang at 10", "next at 20"])
  })
  test("what rings arms again, same delay and another", () => {
    const { rung, arm } = scripted()
    arm("a", 10, () => {
      arm("a again", 10)
      arm("other", 5)
    })
    arm("b", 10)
    vi.advanceTimersByTime(100)
    expect(rung).toEqual(["a at 10", "b at 10", "other at 15", "a again at 20"])
  })
  test("what rings cancels its neighbour → the neighbour stays silent", () => {
    const { alarms, rung, arm } = scripted()
    const held: { neighbour?: unknown } = {}
    arm("a", 10, () => alarms.cancel(held.neighbour))
    held.neighbour = arm("b", 10)
    vi.advanceTimersByTime(100)
    expect(rung).toEqual(["a at 10"])
  })
  test("one throws → the others of its list still ring", () => {
    const { rung, arm } = scripted()
    arm("bad", 10, () => {
      throw new Error("bad")
    })
    arm("good", 10)
    expect(() => vi.advanceTimersByTime(10)).toThrow("bad")
    vi.advanceTimersByTime(10)
    expect(rung[1]).toMatch(/^good at 1\d$/)
  })
  test("a list emptied and used again → rings at the new time, not at the old one", () => {
    const { alarms, rung, arm } = scripted()
    alarms.cancel(arm("old", 100))
    vi.advanceTimersByTime(70)
    arm("new", 100)
    vi.advanceTimersByTime(99)
    expect(rung).toEqual([])
    vi.advanceTimersByTime(1)
    expect(rung).toEqual(["new at 170"])
  })
  test("fractions are rounded up, never down; nothing and less is at once", () => {
    const { rung, arm } = scripted()
    arm("whole", 1)
    arm("a little", 10.01)
    arm("none", 0)
    arm("past", -5)
    vi.advanceTimersByTime(10)
    expect(rung.map((line) => line.split(" at ")[0]).sort()).toEqual(["none", "past", "whole"])
    vi.advanceTimersByTime(1)
    expect(rung.at(-1)).toBe("a little at 11")
  })
  test("beyond what a timer of the platform can wait → not before its time", () => {
    const { rung, arm } = scripted()
    const days = 60 * 86_400_000
    arm("far", days)
    vi.advanceTimersByTime(days - 1)
    expect(rung).toEqual([])
    vi.advanceTimersByTime(1)
    expect(rung).toEqual([`far at ${days}`])
  })
  test("100,000 armed and cancelled → one timer a delay while they last, none afterwards", () => {
    const { alarms, arm } = scripted()
    for (let i = 0; i < 100_000; i++) {
      const alarm = arm("x", 100 + (i % 3))
      expect(vi.getTimerCount()).toBeLessThanOrEqual(3)
      alarms.cancel(alarm)
    }
    vi.advanceTimersByTime(200)
    expect(vi.getTimerCount()).toBe(0)
  })
})

/** What only a process can show: when it ends, and what it keeps. */
describe("in a process", () => {
  const CLOCK = join(import.meta.dirname, "clock.ts")
  const run = async (script: string): Promise<string> => {
    const source = `import { systemClock as clock } from ${JSON.stringify(CLOCK)}\nconst startedAt = performance.now()\n${script}`
    const flags = ["--expose-gc", "--input-type=module-typescript", "--no-warnings", "-e", source]
    const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 20_000 })
    return stdout.trim()
  }
  const TELL_END = 'process.on("exit", () => console.log(performance.now() - startedAt < 3_000 ? "ended soon" : "was kept alive"))'

  test("every alarm cancelled → it ends at once", async () => {
    expect(await run(`${TELL_END}\nfor (let i = 0; i < 1000; i++) clock.cancel(clock.after(15_000 + (i % 7), { ring() {} }))`)).toBe(
      "ended soon",
    )
  })
  test("an alarm is armed → it lives until the alarm has rung, even in a list that was empty for a while", async () => {
    const script = `clock.cancel(clock.after(100, { ring() {} }))
      setTimeout(() => clock.after(100, { ring: () => console.log("rang") }), 20)`
    expect(await run(script)).toBe("rang")
  })
  test("never early by the clock that it uses", async () => {
    const script = `let early = 0, left = 300
      for (let i = 0; i < 300; i++) {
        const ms = (i % 25) + i / 301, dueAt = clock.now() + ms
        clock.after(ms, { ring() { if (clock.now() < dueAt) early++; if (--left === 0) console.log(early) } })
      }`
    expect(await run(script)).toBe("0")
  })
  test("cancelled or rung → its target is not kept, even while the list goes on and its alarm is held", async () => {
    const script = `class Target { ring() {} weight = new Array(1000).fill(1) }
      const keeper = clock.after(5_000, { ring() {} })
      const refs = [], alarms = []
      for (let i = 0; i < 2_000; i++) {
        const target = new Target()
        refs.push(new WeakRef(target))
        const alarm = clock.after(i % 2 ? 5_000 : 5, target)
        if (i % 2) clock.cancel(alarm)
        if (i % 100 === 0) alarms.push(alarm)
      }
      setTimeout(() => {
        globalThis.gc()
        setTimeout(() => {
          globalThis.gc()
          console.log(refs.filter((ref) => ref.deref()).length, alarms.length)
          clock.cancel(keeper)
        }, 10)
      }, 50)`
    expect(await run(script)).toBe("0 20")
  })
})
