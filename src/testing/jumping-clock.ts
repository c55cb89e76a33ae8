import { type Alarm, type Clock, type Rings, systemClock } from "../base/clock.ts"

/** The real clock, which can be put forward while nothing is under way: what is kept grows old without anybody waiting for it. */
export class JumpingClock implements Clock {
  #aheadMs = 0

  jump(ms: number): void {
    this.#aheadMs += ms
  }

  // Fields, because a clock's functions are taken away from it: `const { now } = clock`.
  readonly now = (): number => systemClock.now() + this.#aheadMs
  readonly epoch = (): number => systemClock.epoch() + this.#aheadMs
  readonly after = (delayMs: number, target: Rings): Alarm => systemClock.after(delayMs, target)
  readonly cancel = (alarm: Alarm): void => systemClock.cancel(alarm)
  readonly pause = (delayMs: number): Promise<void> => systemClock.pause(delayMs)
}
