/** Measures one piece of work in a process of its own: warms it up, then counts runs and CPU time. */
export interface PartResult {
  /** CPU nanoseconds a run, per inner round. */
  nanos: number[]
}

const INNER_ROUNDS = 5

/** @param work does the same every time, and throws when its result is wrong. */
export async function measure(work: (n: number) => unknown, batch = 1_000): Promise<void> {
  const roundMs = Number(process.env.ROUND_MS ?? 1_000)
  await runFor(roundMs, work, batch)
  const nanos: number[] = []
  for (let round = 0; round < INNER_ROUNDS; round++) nanos.push(await runFor(roundMs, work, batch))
  process.send?.({ nanos } satisfies PartResult)
}

async function runFor(ms: number, work: (n: number) => unknown, batch: number): Promise<number> {
  const cpu = process.cpuUsage()
  const until = performance.now() + ms
  let runs = 0
  while (performance.now() < until) {
    for (let n = 0; n < batch; n++) {
      const result = work(n)
      if (result instanceof Promise) await result
    }
    runs += batch
    // A turn of the event loop, as a server has it.
    await new Promise(setImmediate)
  }
  const used = process.cpuUsage(cpu)
  return ((used.user + used.system) * 1_000) / runs
}

export function right(holds: boolean): void {
  if (!holds) throw new Error("wrong result")
}
