import { describe, expect, test } from "vitest"
import { FakeClock } from "./fake-clock.ts"

const alarm = (log: string[], name: string) => ({ ring: () => void log.push(name) })
const turns = async (n = 60): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe("alarms", () => {
  test("never fire by themselves", async () => {
    const clock = new FakeClock()
    const log: string[] = []
    clock.after(0, alarm(log, "a"))
    await turns()
    expect([log, clock.now()]).toEqual([[], 0])
  })
  test("fire in the order of their times, those of one time in the order they were armed", async () => {
    const clock = new FakeClock()
    const log: string[] = []
    for (const [ms, name] of [
      [30, "d"],
      [10, "a"],
      [20, "b"],
      [20, "c"],
    ] as const)
      clock.after(ms, alarm(log, name))
    await clock.advance(25)
    expect([log.join(""), clock.now()]).toEqual(["abc", 25])
    await clock.advance("5ms")
    expect(log.join("")).toBe("abcd")
  })
  test("cancelled → silent", async () => {
    const clock = new FakeClock()
    const log: string[] = []
    clock.cancel(clock.after(10, alarm(log, "a")))
    await clock.advance(100)
    expect(log).toEqual([])
  })
  test("promises settle between two alarms", async () => {
    const clock = new FakeClock()
    const log: string[] = []
    clock.after(10, {
      ring: () =>
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => log.push(`settled at ${clock.now()}`)),
    })
    clock.after(11, alarm(log, "next"))
    await clock.advance(20)
    expect(log).toEqual(["settled at 10", "next"])
  })
  test("armed by an alarm within the same advance → fires at its own time", async () => {
    const clock = new FakeClock()
    const log: number[] = []
    clock.after(10, { ring: () => void clock.after(5, { ring: () => void log.push(clock.now()) }) })
    await clock.advance(15)
    expect(log).toEqual([15])
  })
})

describe("pauses", () => {
  test("end by themselves, at their time", async () => {
    const clock = new FakeClock()
    await clock.pause(100)
    expect(clock.now()).toBe(100)
  })
  test("of several tasks → end in the order of time, the same in every run", async () => {
    const run = async (): Promise<string> => {
      const clock = new FakeClock()
      const log: string[] = []
      const task = async (name: string, ...pauses: number[]): Promise<void> => {
        for (const ms of pauses) {
          await clock.pause(ms)
          log.push(`${name}${clock.now()}`)
        }
      }
      await Promise.all([task("a", 30, 30), task("b", 10, 10, 10), task("c", 45)])
      return log.join(" ")
    }
    expect(await run()).toBe("b10 b20 a30 b30 c45 a60")
    expect(await run()).toBe(await run())
  })
  test("a jump goes never over an alarm without firing it", async () => {
    const clock = new FakeClock()
    const log: string[] = []
    clock.after(50, { ring: () => void log.push(`alarm at ${clock.now()}`) })
    clock.after(150, alarm(log, "late"))
    await clock.pause(100)
    expect(log).toEqual(["alarm at 50"])
    await turns()
    expect(clock.now()).toBe(100)
  })
  test("during an advance → end within it", async () => {
    const clock = new FakeClock()
    const log: number[] = []
    void clock.pause(100).then(() => log.push(clock.now()))
    await clock.advance(300)
    expect([log, clock.now()]).toEqual([[100], 300])
  })
  test("time waits for what holds it", async () => {
    const clock = new FakeClock()
    let isDone = false
    const work = async (): Promise<void> => {
      await turns(200)
      isDone = true
    }
    clock.hold(work())
    await clock.pause(1)
    expect(isDone).toBe(true)
  })
})

test("advances that nobody awaits follow each other", async () => {
  const clock = new FakeClock()
  void clock.advance("1s")
  await clock.advance("1s")
  expect(clock.now()).toBe(2_000)
})
test("the calendar goes with the clock", async () => {
  const clock = new FakeClock(new Date("2030-01-01T00:00:00Z"))
  await clock.advance("1d")
  expect(new Date(clock.epoch()).toISOString()).toBe("2030-01-02T00:00:00.000Z")
})
test("no duration → refused", () => expect(() => new FakeClock().advance("soon" as never)).toThrow('"soon" is not a duration'))
test("runOut fires everything", async () => {
  const clock = new FakeClock()
  const log: string[] = []
  clock.after(10, { ring: () => void clock.after(1_000, alarm(log, "second")) })
  await clock.runOut()
  expect([log, clock.now()]).toEqual([["second"], 1_010])
})
