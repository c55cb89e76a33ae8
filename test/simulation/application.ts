import { z } from "zod"
import { code, env, fallback, op, type Policy, rest, value } from "../../src/index.ts"
import { checkDeclarations } from "../../src/runtime/check.ts"

const Intent = z.object({ intent: z.string() })
const Answer = z.object({ intent: z.string(), by: z.string(), name: z.string() })
const KEY = { key: "X-Key" } as const

/** What of an operation the invariants need to know. */
export interface Kind {
  readonly isWrite: boolean
  /** Whether the service may get it again after an unknown outcome. */
  readonly mayRepeat: boolean
  /** Runs others: its intents are those of its steps. */
  readonly steps?: readonly string[]
}

/** The application of one simulated world, with the policies that its seed has drawn. */
export function declare(crmPolicy: Policy, euPolicy: Policy) {
  const crm = rest({ url: env("CRM_URL"), policy: crmPolicy })
  const eu = rest({ url: env("EU_URL"), policy: euPolicy, replicaOf: crm, refuses: [503] })
  const read = { effect: "read", input: Intent, output: Answer } as const
  const write = { effect: "write", input: Intent, output: Answer } as const
  const get = op(read).via(crm.call("GET /things/{intent}"))
  const add = op(write).via(crm.call("POST /things"))
  const addKeyed = op(write).via(crm.call("POST /things", { repeat: KEY }))
  const put = op(write).via(crm.call("PUT /things/{intent}", { body: (i) => i }))
  const ops = {
    get,
    getOr: op(read).via(
      fallback(
        crm.call("GET /things/{intent}"),
        eu.call("GET /things/{intent}"),
        value((i) => ({ ...i, by: "value", name: "" })),
      ),
    ),
    add,
    addKeyed,
    addLookedUp: op(write).via(crm.call("POST /things", { repeat: KEY, lookup: eu.call("GET /things/{intent}") })),
    put,
    addOr: op(write).via(fallback(crm.call("POST /things"), eu.call("POST /things"))),
    addKeyedOr: op(write).via(fallback(crm.call("POST /things", { repeat: KEY }), eu.call("POST /things", { repeat: KEY }))),
    putOr: op(write).via(
      fallback(crm.call("PUT /things/{intent}", { body: (i) => i }), eu.call("PUT /things/{intent}", { body: (i) => i })),
    ),
    readThenAdd: op(write).via(
      code(async (i, ctx) => {
        await ctx.run(get, { intent: `${i.intent}-read` })
        return ctx.run(add, i)
      }),
    ),
    readThenPut: op(write).via(
      code(async (i, ctx) => {
        await ctx.run(get, { intent: `${i.intent}-read` })
        return ctx.run(put, i)
      }),
    ),
    both: op(write).via(
      code(async (i, ctx) => {
        const [done] = await Promise.allSettled([ctx.run(addKeyed, i), ctx.run(get, { intent: `${i.intent}-read` })])
        if (done.status === "rejected") throw done.reason
        return done.value
      }),
    ),
  }
  const kinds: Record<keyof typeof ops, Kind> = {
    get: { isWrite: false, mayRepeat: true },
    getOr: { isWrite: false, mayRepeat: true },
    add: { isWrite: true, mayRepeat: false },
    addKeyed: { isWrite: true, mayRepeat: true },
    addLookedUp: { isWrite: true, mayRepeat: true },
    put: { isWrite: true, mayRepeat: true },
    addOr: { isWrite: true, mayRepeat: false },
    addKeyedOr: { isWrite: true, mayRepeat: true },
    putOr: { isWrite: true, mayRepeat: true },
    readThenAdd: { isWrite: true, mayRepeat: false },
    readThenPut: { isWrite: true, mayRepeat: true },
    both: { isWrite: true, mayRepeat: true },
  }
  const { operations, named, findings } = checkDeclarations(ops, { deadline: "4s" })
  const errors = findings.filter(({ severity }) => severity === "error")
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"))
  return { services: { crm: crm["~service"], eu: eu["~service"] }, operations, named, kinds }
}

export type Declared = ReturnType<typeof declare>

/** A few worlds: their declarations are read once, because that takes longer than a run. */
export const WORLDS: readonly Declared[] = [
  declare(
    {
      timeout: "300ms",
      retry: { times: 2, backoff: "50ms" },
      breaker: { failures: 3, of: 6, slow: "250ms", rest: "1s" },
      concurrency: 2,
      queue: 2,
      hedge: "90ms",
    },
    { timeout: "300ms", retry: 1, breaker: { failures: 2, of: 3, rest: "500ms" }, concurrency: 1, queue: 3 },
  ),
  declare(
    { timeout: "200ms", retry: { times: 4, backoff: "400ms" }, breaker: false, concurrency: 1, queue: 4 },
    { timeout: "1s", retry: { times: 3, backoff: "10ms" }, breaker: false, concurrency: 3, queue: 0 },
  ),
  declare(
    {
      timeout: "600ms",
      retry: { times: 3, backoff: "20ms" },
      breaker: { failures: 1, of: 1, rest: "300ms" },
      concurrency: 3,
      queue: 10,
      hedge: "200ms",
    },
    { timeout: "100ms", retry: 0, breaker: { failures: 1, of: 2, rest: "2s" }, concurrency: 2, queue: 1 },
  ),
]
