// The process that is overloaded: one operation that costs some CPU time, and the health probes. Started by `overload.ts`.
import { pbkdf2Sync } from "node:crypto"
import { z } from "zod"
import { anyone, code, op, trestle } from "../../../src/index.ts"

const COST_MS = 5
const rounds = roundsFor(COST_MS)
const work = op({
  http: "GET /report",
  input: z.object({}),
  output: z.object({ done: z.literal(true) }),
  allow: anyone("a load test"),
}).via(
  code(() => {
    pbkdf2Sync("work", "salt", rounds, 32, "sha256")
    return { done: true as const }
  }),
)

const running = await trestle({ name: "overload", ops: { work } }).start()
const { url } = await running.listen({ port: 0 })
process.send?.({ url })
// Whoever started it has gone.
process.on("disconnect", () => process.exit())

/** Counted, not timed: on a busy machine it still costs the same CPU time. */
function roundsFor(costMs: number): number {
  const sample = 100_000
  pbkdf2Sync("work", "salt", sample, 32, "sha256")
  const before = process.cpuUsage()
  pbkdf2Sync("work", "salt", sample, 32, "sha256")
  const { user, system } = process.cpuUsage(before)
  return Math.max(1, Math.round((sample * costMs * 1_000) / (user + system)))
}
