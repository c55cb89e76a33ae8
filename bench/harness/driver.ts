/** One process on the second core: fast upstream and load generator together, so that they cost one wake-up less. */
import { setTimeout as sleep } from "node:timers/promises"
import { workloads } from "../workloads.ts"
import { startFastUpstream } from "./fast-upstream.ts"
import { startLoad } from "./load.ts"
import { cpuMicrosOfTree } from "./processes.ts"

export interface LoadOrder {
  port: number
  subjectPid: number
  requests: string[]
  connections: number
  warmUpMs: number
  runMs: number
}

export interface LoadResult {
  requests: number
  failed: number
  wallMs: number
  subjectCpuMicros: number
  driverCpuMicros: number
}

const { port } = await startFastUpstream(workloads[process.argv[2] as keyof typeof workloads].answer)
process.on("message", async (order: LoadOrder) => process.send?.(await run(order)))
process.on("disconnect", () => process.exit())
process.send?.({ port })

async function run(order: LoadOrder): Promise<LoadResult> {
  const load = startLoad(order.port, order.requests, order.connections)
  await sleep(order.warmUpMs)
  const before = sample(order.subjectPid, load.counts.completed)
  await sleep(order.runMs)
  const after = sample(order.subjectPid, load.counts.completed)
  load.stop()
  return {
    requests: after.requests - before.requests,
    failed: load.counts.failed,
    wallMs: after.at - before.at,
    subjectCpuMicros: after.subjectCpu - before.subjectCpu,
    driverCpuMicros: after.ownCpu - before.ownCpu,
  }
}

// the driver itself samples, because it alone knows the instant at which the count was taken
function sample(subjectPid: number, requests: number) {
  const own = process.cpuUsage()
  return { requests, at: performance.now(), subjectCpu: cpuMicrosOfTree(subjectPid), ownCpu: own.user + own.system }
}
