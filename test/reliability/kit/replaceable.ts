// A worker of a cluster that is replaced by the next one: an ordinary application, which shares its port. Ends on SIGTERM.
import cluster from "node:cluster"
import { z } from "zod"
import { anyone, code, op } from "../../../src/index.ts"
import { started } from "./fault.ts"

/** A call under way is the ordinary case when the signal comes. */
const WORK_MS = 5
const get = op({
  http: "GET /things/{id}",
  input: z.object({ id: z.string() }),
  output: z.int(),
  allow: anyone("a test"),
  anyObject: "a test",
}).via(
  code(async () => {
    await new Promise((resolve) => setTimeout(resolve, WORK_MS))
    return process.pid
  }),
)

// What a process refuses that has too little of the machine is another question: R8 asks it.
const { running } = await started({ get }, { defaults: { shed: false } })
await running.listen({ port: Number(process.argv[2]) })
process.once("SIGTERM", async () => {
  await running.close()
  // Nothing of the application is left, so the process ends by itself. `process.exit` could lose a connection that the primary has just
  // handed over, and that this process would give back.
  cluster.worker!.disconnect()
})
process.send?.("listening")
