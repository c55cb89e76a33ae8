// Types of `cache` and `lastGood`, as a user writes them. Compiled, never run.

import { z } from "zod"
import { cache, code, env, fallback, lastGood, op, rest } from "../index.ts"

const crm = rest({ url: env("CRM_URL") })
const read = { effect: "read", input: z.object({ id: z.string(), n: z.number() }), output: z.object({ name: z.enum(["a", "b"]) }) } as const

op(read).via(
  cache({ for: "30s", stale: "5m", key: (input) => input.id, entries: 10 }, crm.call("GET /a/{id}", { map: () => ({ name: "a" }) })),
)
op(read).via(
  fallback(
    cache(
      { for: 30_000, shared: true },
      code((input) => ({ name: input.n > 1 ? "a" : "b" })),
    ),
    lastGood({ for: "24h", key: (input) => input.id.toLowerCase() }),
  ),
)
op({ ...read, errors: { GONE: 410 } }).via(
  cache(
    { for: "1s" },
    code((_input, ctx) => ctx.fail("GONE")),
  ),
)

// @ts-expect-error the input has no such field
op(read).via(cache({ for: "30s", key: (input) => input.nothing }, crm.call("GET /a/{id}")))
// @ts-expect-error a key is a text
op(read).via(cache({ for: "30s", key: (input) => input.n }, crm.call("GET /a/{id}")))
// @ts-expect-error how long is not said
op(read).via(cache({ stale: "30s" }, crm.call("GET /a/{id}")))
// @ts-expect-error no duration
lastGood({ for: "long" })
// @ts-expect-error shared is true or absent
lastGood({ for: "1h", shared: false })
op(read).via(
  cache(
    { for: "1s" },
    // @ts-expect-error a code that the contract does not declare
    code((_input, ctx) => ctx.fail("GONE")),
  ),
)
// The answer inside is held to the contract, and the error stands on the answer.
op(read).via(
  cache(
    { for: "1s" },
    // @ts-expect-error
    code(() => ({ name: "c" })),
  ),
)
