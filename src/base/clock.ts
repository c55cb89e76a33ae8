import { Alarms } from "./alarms.ts"

/** Something that a clock wakes. An object instead of a callback, so that arming a deadline allocates no closure. */
export interface Rings {
  ring(): void
}

/** An armed alarm; only the clock that made it can read it. */
export type Alarm = unknown

/**
 * Where all time comes from. Nothing in Trestle reads the system's clock directly, so tests and simulations decide what time it is.
 */
export interface Clock {
  /** Milliseconds on a clock that never goes back; the origin means nothing. */
  now(): number
  /** Milliseconds since 1970, for people and for records. */
  epoch(): number
  /** Calls `target.ring()` once after `delayMs` (0 and more). `nowMs`: what `now()` has just said, to spare another look. */
  after(delayMs: number, target: Rings, nowMs?: number): Alarm
  cancel(alarm: Alarm): void
  /** Resolves after `delayMs`. A test clock may jump to the end of a pause, never to an alarm. */
  pause(delayMs: number): Promise<void>
}

const now = (): number => performance.now()
const alarms = new Alarms(now)

export const systemClock: Clock = {
  now,
  epoch: () => Date.now(),
  after: (delayMs, target, nowMs) => alarms.after(delayMs, target, nowMs),
  cancel: (alarm) => alarms.cancel(alarm),
  pause: (delayMs) => new Promise((resolve) => alarms.after(delayMs, { ring: resolve })),
}
