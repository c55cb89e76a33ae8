import type { Random } from "../../../src/base/random.ts"
import type { Failure, Success } from "../../../src/contract/caller.ts"
import type { VirtualClock } from "../virtual-clock.ts"
import type { Order } from "./application.ts"
import type { SimulatedProcess } from "./process.ts"

export type Asked = "place" | "later" | "note" | "mail" | "checkout" | "ticket"

/** What a client was told in the end. */
export interface Task {
  readonly asks: Asked
  readonly order: Order
  /** `null`: nothing that counts; it has stopped asking. */
  told: "done" | "pending" | "declined" | null
  isOver: boolean
  /** How often it was asked for. */
  tries: number
}

export type Result = Success<{ state?: "done" | "pending" } | undefined> | Failure<string>
export type Callable = Readonly<Record<Asked, { safe(input: Order, options: { idempotencyKey: string }): Promise<Result> }>>

/** A process that takes calls. */
export interface Serving {
  readonly process: SimulatedProcess
  readonly callers: Callable
}

export interface ClientOptions {
  readonly clock: VirtualClock
  readonly random: Random
  /** One that takes calls now, if there is one. */
  readonly anyone: () => Serving | null
  readonly told: (line: string) => void
}

const TRIES = 14
/** Whoever has heard nothing for so long takes it for lost. */
const PATIENCE_MS = 30_000
const PAUSE_MS = 2_000

/** Somebody outside, who asks under one key until there is an answer. */
export class Client {
  readonly #options: ClientOptions
  /** How many calls each process has been handed and has not answered. */
  readonly #calls = new Map<SimulatedProcess, number>()

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** One after the other. */
  async carryOut(tasks: readonly Task[]): Promise<void> {
    for (const task of tasks) {
      await this.#until(task)
      task.isOver = true
      this.#options.told(`${Math.round(this.#options.clock.now())} ${task.asks} ${task.order.id} ${task.told}`)
    }
  }

  /** Calls of processes that are alive and have not answered. */
  get open(): number {
    let open = 0
    for (const [process, calls] of this.#calls) if (!process.isDead) open += calls
    return open
  }

  async #until(task: Task): Promise<void> {
    const { random } = this.#options
    while (task.tries < TRIES) {
      task.tries++
      const result = await this.#once(task)
      if (result !== "lost") {
        task.told = toldBy(result, task)
        if (task.told !== null) return
      }
      await this.#pause(random.next() * PAUSE_MS)
    }
  }

  #once({ asks, order }: Task): Promise<Result | "lost"> {
    const { anyone, clock } = this.#options
    const serving = anyone()
    if (serving === null) return Promise.resolve("lost")
    const { process, callers } = serving
    return new Promise((resolve) => {
      process.onDeath(() => resolve("lost"))
      clock.at(PATIENCE_MS, () => resolve("lost"))
      process.enter(() => {
        this.#calls.set(process, (this.#calls.get(process) ?? 0) + 1)
        void callers[asks].safe(order, { idempotencyKey: `${asks}-${order.id}` }).then((result) => {
          if (process.isDead) return
          this.#calls.set(process, this.#calls.get(process)! - 1)
          resolve(result)
        })
      })
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.at(ms, resolve))
  }
}

function toldBy(result: Result, { asks }: Task): Task["told"] {
  if (result.ok) return result.value?.state ?? "done"
  if (result.code === "DECLINED") return "declined"
  // A flow goes on without its caller.
  return result.code === "PENDING" && (asks === "checkout" || asks === "ticket") ? "pending" : null
}
