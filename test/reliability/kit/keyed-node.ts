// One node of an application whose writes have keys; run in a process of its own, to be killed.
//
//   RECEIVER=http://127.0.0.1:1234 NODE=a TRESTLE_DATA=/tmp/x node keyed-node.ts
//
// Several of them share one folder, and so one store.
import { z } from "zod"
import { startApp } from "../../../src/assembly/start.ts"
import { anyone, env, op, rest, trestle } from "../../../src/index.ts"

/** The holder of a key is given up so long after its call began, and a margin of ten seconds; longer than starting another process takes. */
const DEADLINE = "5s"

const Effect = z.object({ key: z.string() })
const Done = z.object({ number: z.number() })
const receiver = rest({ url: env("RECEIVER"), policy: { retry: 0, breaker: false, concurrency: 1_000, timeout: "5s" } })
const act = op({
  http: "POST /effects",
  input: Effect,
  output: Done,
  allow: anyone("a test"),
  repeat: "key",
  deadline: DEADLINE,
}).via(receiver.call("POST /effects", { headers: () => ({ "x-node": `${process.env.NODE} ${process.pid}` }), repeat: "none" }))

const running = await startApp(trestle({ name: "keyed", ops: { act } }))
const { url } = await running.listen({ port: 0 })
console.log(`= ${url}`)
