import { describe, expect, test } from "vitest"
import type { Alarm, Clock, Rings } from "../base/clock.ts"
import { systemClock } from "../base/clock.ts"
import { Shedder, STANDING_MS } from "./shed.ts"

/** An event loop: alarms ring at the beginning of a turn, however late that is. */
class Loop {
  now = 0
  #armed: { at: number; target: Rings }[] = []
  readonly clock: Clock = {
    ...systemClock,
    now: () => this.now,
    after: (delayMs: number, target: Rings): Alarm => this.#armed.push({ at: this.now + delayMs, target }),
  }

  /** One turn in which so many calls come, each of which keeps the process busy when it is taken in; gives how many were. */
  turn(shedder: Shedder, calls: number, busyMs: number, least = 10): number {
    const due = this.#armed.filter(({ at }) => at <= this.now)
    this.#armed = this.#armed.filter((one) => !due.includes(one))
    for (const { target } of due) target.ring()
    const beganAt = this.now
    let taken = 0
    for (let call = 0; call < calls; call++) {
      if (!shedder.admits()) continue
      taken++
      this.now += busyMs
    }
    this.now = Math.max(this.now, beganAt + least)
    return taken
  }

  get armed(): number {
    return this.#armed.length
  }
}

function given() {
  const loop = new Loop()
  const changes: boolean[] = []
  const shedder = new Shedder(50, loop.clock, (isShedding) => changes.push(isShedding))
  /** Turns with as many calls as arrive in the time of the turn before, at that rate a second. */
  const run = (ms: number, rate: number, busyMs: number): { offered: number; taken: number } => {
    const until = loop.now + ms
    const sum = { offered: 0, taken: 0 }
    let lastAt = loop.now
    while (loop.now < until) {
      const calls = Math.round(((loop.now - lastAt) / 1_000) * rate) || 1
      lastAt = loop.now
      sum.offered += calls
      sum.taken += loop.turn(shedder, calls, busyMs)
    }
    return sum
  }
  return { loop, shedder, changes, run }
}

describe("without overload", () => {
  test("short turns → all are taken in", () => {
    const { run, shedder, changes } = given()
    const { offered, taken } = run(10_000, 100, 4)
    expect([taken, shedder.refused, changes]).toEqual([offered, 0, []])
  })
  test("one long turn, however long → all are taken in", () => {
    const { loop, shedder } = given()
    expect(loop.turn(shedder, 1, 30_000)).toBe(1)
    expect([loop.turn(shedder, 100, 0), shedder.isShedding]).toEqual([100, false])
  })
  test("long turns with a short one in each second → no overload", () => {
    const { loop, shedder } = given()
    for (let round = 0; round < 20; round++) {
      for (let turn = 0; turn < 9; turn++) expect(loop.turn(shedder, 10, 10)).toBe(10)
      loop.turn(shedder, 1, 1)
    }
    expect(shedder.isShedding).toBe(false)
  })
  test("nobody asks → nothing stays armed", () => {
    const { loop, shedder } = given()
    loop.turn(shedder, 1, 1)
    for (let turn = 0; turn < 3; turn++) loop.turn(shedder, 0, 0)
    expect(loop.armed).toBe(0)
  })
})

describe("overload", () => {
  test("every turn long for a second → begins, and is said once", () => {
    const { run, shedder, changes } = given()
    run(STANDING_MS * 8, 1_000, 5)
    expect([shedder.isShedding, changes]).toEqual([true, [true]])
  })
  test("five times what it can do → works all the time, in turns that stay short", () => {
    const { loop, run, shedder } = given()
    run(STANDING_MS * 8, 1_000, 5)
    const startedAt = loop.now
    const { offered, taken } = run(10_000, 1_000, 5)
    // At 5 ms each it can do 200 a second.
    expect(taken / ((loop.now - startedAt) / 1_000)).toBeGreaterThan(190)
    expect(taken / offered).toBeLessThan(0.25)
    expect(shedder.refused).toBeGreaterThan(offered - taken - 1)
  })
  test("one call takes longer than a turn may → one a turn is taken in", () => {
    const { loop, run, shedder } = given()
    run(30_000, 100, 80)
    expect(shedder.isShedding).toBe(true)
    expect(loop.turn(shedder, 10, 80)).toBe(1)
  })
  test("a turn with few calls → goes on: the next turns refuse what they cannot do, and need no second to begin", () => {
    const { loop, run, shedder, changes } = given()
    run(STANDING_MS * 8, 1_000, 5)
    for (let turn = 0; turn < 3; turn++) loop.turn(shedder, 1, 5)
    expect([loop.turn(shedder, 100, 5), changes]).toEqual([2, [true]])
  })
  test("a turn goes round soon: it accepts one connection each time", () => {
    const { loop, run, shedder } = given()
    run(STANDING_MS * 8, 1_000, 5)
    const startedAt = loop.now
    for (let turn = 0; turn < 100; turn++) loop.turn(shedder, 400, 5)
    expect(loop.now - startedAt).toBeLessThanOrEqual(100 * 15)
  })
  test("hardly anything had to be refused for a second → ends, and is said", () => {
    const { loop, run, shedder, changes } = given()
    run(STANDING_MS * 8, 1_000, 5)
    for (const until = loop.now + STANDING_MS * 2; loop.now < until; ) loop.turn(shedder, 1, 5)
    expect([shedder.isShedding, changes]).toEqual([false, [true, false]])
    expect(loop.turn(shedder, 100, 5)).toBe(100)
  })
  test("calls cease → ends", () => {
    const { loop, run, shedder } = given()
    run(STANDING_MS * 8, 1_000, 5)
    for (let turn = 0; turn < 3; turn++) loop.turn(shedder, 0, 0, 1_000)
    expect([shedder.isShedding, loop.armed]).toEqual([false, 0])
  })
})
