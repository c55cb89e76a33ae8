/** Measures one way of calling, in a process of its own: checks it, warms it up, then counts calls and CPU time. */
import type { Order, Priced } from "./task.ts"

export interface CallResult {
  /** CPU nanoseconds a call, per inner round. */
  nanos: number[]
}

const INNER_ROUNDS = 5
const BATCH = 2_000

export async function measure(call: (order: Order) => Promise<Priced>): Promise<void> {
  await check(call)
  const roundMs = Number(process.env.ROUND_MS ?? 1_000)
  await runFor(roundMs, call)
  const nanos: number[] = []
  for (let round = 0; round < INNER_ROUNDS; round++) nanos.push(await runFor(roundMs, call))
  process.send?.({ nanos } satisfies CallResult)
}

async function runFor(ms: number, call: (order: Order) => Promise<Priced>): Promise<number> {
  const cpu = process.cpuUsage()
  const until = performance.now() + ms
  let calls = 0
  let sum = 0
  while (performance.now() < until) {
    for (let n = 0; n < BATCH; n++) sum += (await call({ sku: "A-100", quantity: n, kind: "plain" })).totalCents
    calls += BATCH
    // a turn of the event loop, as a server has it: timers and batched writers get their chance, and their cost counts
    await new Promise(setImmediate)
  }
  if (sum !== (calls / BATCH) * ((1290 * (BATCH * (BATCH - 1))) / 2)) throw new Error("wrong sums")
  const used = process.cpuUsage(cpu)
  return ((used.user + used.system) * 1_000) / calls
}

async function check(call: (order: Order) => Promise<Priced>): Promise<void> {
  const answer = JSON.stringify(await call({ sku: "A-100", quantity: 3, kind: "gift" }))
  if (answer !== '{"sku":"A-100","totalCents":3870,"state":"open"}') throw new Error(`wrong answer: ${answer}`)
  if (process.env.CHECKS_INPUT === "no") return
  const refused = await call({ sku: "A-100", quantity: "3", kind: "gift" } as any).then(
    () => false,
    () => true,
  )
  if (!refused) throw new Error("wrong input was accepted")
}
