import type { Alarm, Clock, Rings } from "../../../src/base/clock.ts"
import type { VirtualClock } from "../virtual-clock.ts"

/** Something of the process that waits for its time. */
interface Waiting {
  isCancelled: boolean
}

/**
 * One run of the application, from its start to its crash. Whatever comes to it from outside, time included, passes `enter`: it reaches
 * nothing that is dead, and what is paused hears of it when it goes on. Whatever it does to the outside asks `isDead`.
 */
export class SimulatedProcess {
  readonly name: string
  readonly clock: Clock
  isDead = false
  /** It has stood still, so what it does afterwards may be what others have done meanwhile. */
  hasBeenPaused = false
  /** The store cannot be reached from here until then. */
  cutOffUntil = 0
  #pausedUntil = 0
  #held: (() => void)[] = []
  readonly #world: VirtualClock
  readonly #whenDead: (() => void)[] = []

  constructor(name: string, world: VirtualClock) {
    this.name = name
    this.#world = world
    this.clock = {
      now: world.now,
      epoch: world.epoch,
      after: (delayMs, target) => this.#after(delayMs, target),
      cancel: (alarm) => {
        ;(alarm as Waiting).isCancelled = true
      },
      pause: (delayMs) => new Promise((resolve) => void world.at(delayMs, () => this.enter(resolve))),
    }
  }

  enter(happen: () => void): void {
    if (this.isDead) return
    if (this.#world.now() < this.#pausedUntil) this.#held.push(happen)
    else happen()
  }

  /** Stands still: a long collection of garbage, a laptop that was closed. */
  pause(ms: number): void {
    this.hasBeenPaused = true
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#world.now() + ms)
    this.#world.at(ms, () => {
      if (this.#world.now() < this.#pausedUntil) return
      for (const happen of this.#held.splice(0)) this.enter(happen)
    })
  }

  /** At once: nothing of it is ever done any more. */
  crash(): void {
    if (this.isDead) return
    this.isDead = true
    this.#held = []
    for (const happen of this.#whenDead.splice(0)) happen()
  }

  onDeath(happen: () => void): void {
    if (this.isDead) happen()
    else this.#whenDead.push(happen)
  }

  #after(delayMs: number, target: Rings): Alarm {
    const waiting: Waiting = { isCancelled: false }
    const ring = (): void => {
      if (!waiting.isCancelled) target.ring()
    }
    this.#world.at(delayMs, () => this.enter(ring))
    return waiting
  }
}
