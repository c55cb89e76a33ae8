// The application of `called-process.ts`: its operations, and the orders of its parent.
import { z } from "zod"
import { op, type Policy, postgres, rest, secret, sql, sqlite } from "../../../src/index.ts"
import { type Called, DEADLINE_MS, PLACES, type Places } from "./called-process.ts"
import { started, values } from "./fault.ts"

const Thing = z.object({ id: z.string(), name: z.string() })
const read = { effect: "read", input: Thing, output: Thing, deadline: DEADLINE_MS } as const
const write = { ...read, effect: "write" } as const
const POLICY: Policy = { timeout: "300ms", retry: { times: 2, backoff: "10ms" }, breaker: false, concurrency: PLACES }

/** One row that is changed by every write, so that somebody else can hold it. */
function inPostgres(url: string) {
  values.set("POSTGRES_URL", url)
  const db = postgres({ url: secret("POSTGRES_URL"), name: "postgres", policy: POLICY, pool: PLACES })
  return {
    read: op(read).via(db.one(({ id, name }) => sql`select ${id}::text as id, ${name}::text as name`)),
    write: op(write).via(db.one(({ id, name }) => sql`update things set n = n + 1 returning ${id}::text as id, ${name}::text as name`)),
  }
}

function operations({ plain, tls, file, postgres: address }: Places) {
  const db = sqlite({ file, name: "db", policy: POLICY })
  // Memory is bounded by what is declared: as many answers as there are places, each of them no larger than the limit.
  const overHttp = (url: string, name: string, answerLimit = "256kb") => {
    const service = rest({ url, name, policy: POLICY, answerLimit })
    return {
      read: op(read).via(service.call("GET /things/{id}")),
      write: op(write).via(service.call("POST /things")),
    }
  }
  return {
    plain: overHttp(plain, "plain"),
    tls: overHttp(tls, "tls"),
    /** With the limit that is built in. */
    usual: overHttp(plain, "usual", "4mb"),
    ...(address === null ? {} : { postgres: inPostgres(address) }),
    nowhere: overHttp("http://no-such-host.invalid", "nowhere"),
    db: {
      read: op(read).via(db.one(({ id }) => sql`select ${id} as id, 'Ada' as name`)),
      write: op(write).via(
        db.one(({ id, name }) => sql`insert into things values (${id}, ${"x".repeat(100_000)}) returning id, ${name} as name`),
      ),
    },
  }
}

const app = await started(operations(JSON.parse(process.argv[2]!)))
const say = (message: unknown): void => void process.send!(message)

const call = async (path: string, times: number): Promise<Called> => {
  const [group, name] = path.split(".") as [string, string]
  const one = async (): Promise<{ end: string; ms: number }> => {
    const startedAt = performance.now()
    const end = await app.ask[group][name]({ id: "7", name: "Ada" }).then(
      () => "ok",
      (error: any) => `${error.code} ${error.reason ?? "(no reason)"}`,
    )
    return { end, ms: performance.now() - startedAt }
  }
  const results = await Promise.all(Array.from({ length: times }, one))
  return { ends: [...new Set(results.map(({ end }) => end))], slowestMs: Math.max(...results.map(({ ms }) => ms)) }
}
process.on("message", async (order: any) => {
  if (order.operation) say(await call(order.operation, order.times))
  else if (order.close) {
    await app.running.close()
    // What was closed is gone after the next round of the event loop.
    setImmediate(() => say("closed"))
  }
})
process.on("disconnect", () => process.exit())
say("ready")
