/** Measures one queue, in a process of its own: 16 publishers that await each put, until every job has been run and its end is stored. */
import { setTimeout as pause } from "node:timers/promises"

/** A queue as its users have it, with a consumer that does nothing. */
export interface MeasuredQueue {
  /** Resolves when all of them are stored, as safely as this queue stores. */
  put(payloads: readonly Payload[]): Promise<unknown>
  /** Jobs whose end is not stored yet. */
  left(): Promise<number>
}

export interface Payload {
  id: number
  text: string
  at: string
  tags: string[]
}

export interface JobsResult {
  jobs: number
  /** From the first put to the last end that is stored. */
  ms: number
}

export const CONCURRENCY = 16
/** Publishers wait while more than this has not been run: what counts is what gets through. */
const WAITING_MAX = 2_000
const LOOK_MS = 5

let run = 0

/** What the consumer does. */
export function consumed(count = 1): void {
  run += count
}

/** Warms the queue up, says so, and measures when it is told to. */
export async function measure(queue: MeasuredQueue): Promise<void> {
  const roundMs = Number(process.env.ROUND_MS)
  await through(queue, roundMs / 2)
  process.send!("warm")
  await new Promise((resolve) => process.once("message", resolve))
  process.send!((await through(queue, roundMs)) satisfies JobsResult)
}

async function through(queue: MeasuredQueue, ms: number): Promise<JobsResult> {
  const perPut = Number(process.env.PER_PUT ?? 1)
  const started = performance.now()
  let put = 0
  run = 0
  const publisher = async (): Promise<void> => {
    while (performance.now() - started < ms) {
      if (put - run > WAITING_MAX) await pause(1)
      else {
        put += perPut
        await queue.put(Array.from({ length: perPut }, (_, n) => payloadOf(put + n)))
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, publisher))
  while (run < put || (await queue.left()) > 0) await pause(LOOK_MS)
  if (run !== put) throw new Error(`${put} jobs were put and ${run} were run`)
  return { jobs: put, ms: performance.now() - started }
}

function payloadOf(id: number): Payload {
  return { id, text: "What is a closure?", at: "2026-11-22T10:00:00Z", tags: ["js", "closures"] }
}
