/** The same inside a whole call of an application, in process: contract checked both ways, deadline, record, metrics. */
import { z } from "zod"
import { backend } from "../../src/contract/backend.ts"
import type { Service } from "../../src/contract/service.ts"
import { fallback, op, trestle, value } from "../../src/index.ts"
import { FALLBACK, measure, work } from "./measure.ts"

const service: Service = {
  kind: "bench",
  name: "crm",
  at: null,
  references: [],
  policy: { timeout: "2s", retry: 2, breaker: { failures: 5, of: 10, slow: "1s", rest: "10s" } },
  replicaOf: undefined,
  mistakes: [],
  isProbed: false,
  open: () => ({ close: async () => {} }),
}

const leaf = backend<number, number>("bench", {
  service,
  bind: (site) =>
    site.guard(
      service,
      {
        prepare: (input) => input,
        send: (request, { call }) => work(request as number).then((n) => site.accept(n, call, "crm") as number),
      },
      { policy: undefined, mayRepeatUnknown: true },
    ),
})

process.env.TRESTLE_LOG = "silent"
const number = op({ effect: "read", input: z.number(), output: z.number() }).via(fallback(leaf, value(FALLBACK)))
const running = await trestle({ name: "w3", ops: { number } }).start()
const call = running.internal()

await measure((n) => call.number(n))
