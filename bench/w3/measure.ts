/** Measures one stack of policies, in a process of its own: checks it, warms it up, then CPU time and heap bytes a call. */
export interface PoliciesResult {
  /** CPU nanoseconds a call, per inner round. */
  nanos: number[]
  /** Bytes allocated a call, per inner round. */
  bytes: number[]
}

/** The work inside the policies: an async function that succeeds. */
export const work = async (n: number): Promise<number> => n + 1

/** The same, failing: for the check that every stack repeats, opens its circuit and falls back. */
export const failing = async (): Promise<number> => {
  throw new Error("down")
}

export const FALLBACK = -1

const INNER_ROUNDS = 5
const BATCH = 2_000
/** So many calls fit into the young generation (`--max-semi-space-size`), so that nothing is collected while bytes are counted. */
const COUNTED = 10_000

/** @param answersFallback asks the stack's twin whose work fails; not for a stack without a fallback. */
export async function measure(call: (n: number) => Promise<number>, answersFallback?: () => Promise<number>): Promise<void> {
  if ((await call(1)) !== 2) throw new Error("wrong answer")
  if (answersFallback && (await answersFallback()) !== FALLBACK) throw new Error("no fallback")
  const roundMs = Number(process.env.ROUND_MS ?? 1_000)
  await nanosOf(roundMs, call)
  const result: PoliciesResult = { nanos: [], bytes: [] }
  for (let round = 0; round < INNER_ROUNDS; round++) {
    result.nanos.push(await nanosOf(roundMs, call))
    result.bytes.push(await bytesOf(call))
  }
  process.send?.(result)
}

async function nanosOf(ms: number, call: (n: number) => Promise<number>): Promise<number> {
  const cpu = process.cpuUsage()
  const until = performance.now() + ms
  let calls = 0
  while (performance.now() < until) {
    let sum = 0
    for (let n = 0; n < BATCH; n++) sum += await call(n)
    if (sum !== (BATCH * (BATCH + 1)) / 2) throw new Error("wrong sum")
    calls += BATCH
    // A turn of the event loop, as a server has it: timers get their chance, and their cost counts.
    await new Promise(setImmediate)
  }
  const used = process.cpuUsage(cpu)
  return ((used.user + used.system) * 1_000) / calls
}

async function bytesOf(call: (n: number) => Promise<number>): Promise<number> {
  // A call under way, as a server has it: without any, the collection would throw away what was optimised for objects of its classes.
  const underWay = call(0)
  globalThis.gc!()
  await underWay
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < COUNTED; n++) await call(n)
  return (process.memoryUsage().heapUsed - before) / COUNTED
}
