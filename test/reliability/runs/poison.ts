// A message that its consumer can never take, among many that it can: on a real store, in a real application.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import type { DurableParts } from "../../../src/assembly/durable.ts"
import { startApp } from "../../../src/assembly/start.ts"
import { code, nothing, op, topic, trestle } from "../../../src/index.ts"
import { rememberingLog } from "../../../src/testing/stand-ins.ts"
import { environmentIn } from "../../durable/kit.ts"

export interface PoisonOptions {
  readonly messages: number
  /** One in so many is poison. */
  readonly oneIn: number
  /** How often each is run. */
  readonly times: number
  /** Whoever publishes so many at once. */
  readonly publishers: number
}

export interface PoisonFigures {
  readonly poison: number
  readonly dead: number
  /** Runs of poison, which must be `poison × times`. */
  readonly poisonRuns: number
  readonly delivered: number
  /** Longest time from `publish` to the end of the run, of those that are no poison and have no poison before them in their key. */
  readonly longestMs: number
}

const Load = z.object({ n: z.number().int(), key: z.string(), isPoison: z.boolean() })
const KEYS = 5_000

export async function poisoned({ messages, oneIn, times, publishers }: PoisonOptions): Promise<PoisonFigures> {
  const folder = mkdtempSync(join(tmpdir(), "trestle-poison-"))
  const loads = topic("load", Load, { key: ({ key }) => key, onDead: "skip" })
  const publishedAt = new Map<number, number>()
  const figures = { poisonRuns: 0, delivered: 0, longestMs: 0 }
  const consume = op({
    on: loads,
    effect: "write",
    repeat: "natural",
    input: Load,
    output: nothing,
    delivery: { times, backoff: "100ms" },
  }).via(
    code(({ n, key, isPoison }) => {
      if (isPoison) {
        figures.poisonRuns++
        throw new TypeError("nobody can take this")
      }
      figures.delivered++
      if (!key.startsWith("poisoned")) figures.longestMs = Math.max(figures.longestMs, performance.now() - publishedAt.get(n)!)
    }),
  )
  let durable!: DurableParts
  const running = await startApp(trestle({ name: "poison", ops: { consume } }), {
    environment: environmentIn(folder),
    log: rememberingLog([]),
    durable: {
      isByHand: false,
      published: () => {},
      opened: (parts) => {
        durable = parts
      },
    },
  })
  let next = 0
  const publishAll = async (): Promise<void> => {
    while (next < messages) {
      const n = next++
      const isPoison = n % oneIn === 0
      publishedAt.set(n, performance.now())
      await running.publish(loads, { n, isPoison, key: isPoison ? `poisoned ${n}` : `k${n % KEYS}` })
    }
  }
  await Promise.all(Array.from({ length: publishers }, publishAll))
  const count = async (state: "dead" | "*"): Promise<number> => {
    let found = 0
    for await (const _ of durable.desk.all(state)) found++
    return found
  }
  while ((await count("*")) > (await count("dead"))) await new Promise((resolve) => setTimeout(resolve, 50))
  const dead = await count("dead")
  await running.close()
  rmSync(folder, { recursive: true })
  return { poison: Math.ceil(messages / oneIn), dead, ...figures }
}
