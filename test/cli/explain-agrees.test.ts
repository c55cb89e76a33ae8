// What `trestle explain` foretells, against what then happens: the same application, real sockets, the system's clock.
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { definitionOf } from "../../src/assembly/definition.ts"
import { describe as describeApp } from "../../src/assembly/describe.ts"
import { startApp } from "../../src/assembly/start.ts"
import { Redactor } from "../../src/base/redact.ts"
import { type Explanation, explanationOf } from "../../src/cli/explain-operation.ts"
import type { Prediction } from "../../src/cli/explain-predictions.ts"
import { loadEnvironment } from "../../src/config/environment.ts"
import { cache, code, env, fallback, op, type Policy, rest, TrestleError, trestle, value } from "../../src/index.ts"
import { openLog } from "../../src/telemetry/call-log.ts"

/** Without a breaker: the tables share the services, and one row must not open the circuit of the next. */
const QUICK: Policy = { breaker: false, timeout: "150ms", retry: { times: 2, backoff: "10ms" } }
const main = rest({ url: env("MAIN_URL"), name: "main", policy: QUICK, refuses: [503] })
const backup = rest({ url: env("BACKUP_URL"), name: "backup", policy: { ...QUICK, retry: 1 }, replicaOf: main })

const Id = z.object({ id: z.string() })
const Thing = z.object({ id: z.string() })
const read = { effect: "read", input: Id, output: Thing, errors: { GONE: 410, TAKEN: 409 }, deadline: "5s" } as const
const write = { effect: "write", input: Id, output: Thing, errors: { TAKEN: 409 }, deadline: "5s" } as const
const errors = { 409: "TAKEN" } as const

const ops = {
  read: op(read).via(main.call("GET /things/{id}", { errors: { ...errors, 410: "GONE" } })),
  readOnce: op(read).via(main.call("GET /things/{id}", { policy: { retry: 0 } })),
  readOr: op(read).via(fallback(main.call("GET /things/{id}"), backup.call("GET /things/{id}"))),
  readOrValue: op(read).via(fallback(main.call("GET /things/{id}"), backup.call("GET /things/{id}"), value({ id: "none" }))),
  readCached: op(read).via(cache({ for: "1m" }, fallback(main.call("GET /things/{id}"), backup.call("GET /things/{id}")))),
  shortRead: op({ ...read, deadline: "100ms" }).via(main.call("GET /things/{id}")),
  add: op(write).via(main.call("POST /things", { errors })),
  addKeyed: op(write).via(main.call("POST /things", { errors, repeat: { key: "idempotency-key" } })),
  put: op(write).via(main.call("PUT /things/{id}", { errors })),
  addOr: op(write).via(fallback(main.call("POST /things"), backup.call("POST /things"))),
  own: op(write).via(
    code(() => {
      throw new TypeError("half way")
    }),
  ),
}
const app = trestle({ name: "foretold", ops })

/** How the script of a failure looks on a real socket. */
type Act = (request: IncomingMessage, response: ServerResponse) => void
const well: Act = (_request, response) => void response.writeHead(200, { "content-type": "application/json" }).end('{"id":"1"}')
const ACTS: Readonly<Record<string, Act>> = {
  "drops the connection": (request) => void request.socket.destroy(),
  "answers with what cannot be read": (_request, response) => void response.writeHead(200).end("<html>"),
  "gives no answer in time": () => {},
}
const actOf = (failure: string): Act | "closed" => {
  if (failure === "cannot be reached") return "closed"
  const status = /^says (\d+)$/.exec(failure)?.[1]
  return status ? (_request, response) => void response.writeHead(Number(status)).end("{}") : ACTS[failure]!
}
/** A full queue of connections cannot be made on purpose; breaker and bulkhead have tests of their own. */
const isScripted = ({ failure }: Prediction): boolean =>
  !["takes no request in time", "has its circuit breaker open", "has no place left", "throws"].includes(failure)

class Service {
  #act: Act = well
  asked = 0
  readonly #server = createServer((request, response) => {
    this.asked++
    this.#act(request, response)
  })
  readonly #closed = createServer()
  url = ""
  #port = 0

  async open(): Promise<void> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening")
    this.#port = (this.#server.address() as AddressInfo).port
    this.url = `http://127.0.0.1:${this.#port}`
  }

  async play(act: Act | "closed"): Promise<void> {
    this.asked = 0
    this.#server.closeAllConnections()
    const isOpen = this.#server.listening
    if (act === "closed" && isOpen) await new Promise((resolve) => this.#server.close(resolve))
    if (act !== "closed" && !isOpen) await once(this.#server.listen(this.#port, "127.0.0.1"), "listening")
    if (act !== "closed") this.#act = act
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
    this.#closed.close()
  }
}
const services = { main: new Service(), backup: new Service() }
type Name = keyof typeof services

beforeAll(async () => {
  for (const service of Object.values(services)) await service.open()
})
afterAll(() => {
  for (const service of Object.values(services)) service.close()
})

const start = () =>
  startApp(app, {
    log: openLog({ format: "silent", level: "error", name: "", redactor: new Redactor() }),
    environment: loadEnvironment({
      folder: import.meta.dirname,
      environment: "test",
      process: { MAIN_URL: services.main.url, BACKUP_URL: services.backup.url },
    }),
  })

/** What the call really did. */
async function happened(path: string): Promise<Record<string, unknown>> {
  const running = await start()
  const startedAt = performance.now()
  try {
    const call = (running.internal() as Record<string, any>)[path].detailed
    const { meta } = await call({ id: "1" })
    return { code: null, outcome: "ok", servedBy: meta.servedBy, isDegraded: meta.degraded !== false, attempts: meta.attempts }
  } catch (error) {
    if (!TrestleError.is(error)) throw error
    const { code, status, outcome, reason } = error
    return { code, status, outcome, reason, ms: performance.now() - startedAt }
  } finally {
    await running.close()
  }
}

const operations = describeApp(app as never).operations
const explained = new Map<string, Explanation>()
for (const operation of operations)
  explained.set(operation.path, await explanationOf(operation, { defaults: definitionOf(app).defaults ?? {}, operations, epoch: 0 }))
const table = [...explained].flatMap(([path, { predictions }]) =>
  predictions.filter(isScripted).map((prediction) => [path, prediction.of as Name, prediction.failure, prediction] as const),
)

test("the table: covers every shape, and more than one failure of each", () => {
  expect(table.length).toBeGreaterThan(80)
  expect(new Set(table.map(([path]) => path)).size).toBe(Object.keys(ops).length - 1)
})

describe("explain agrees with what happens", () => {
  test.each(table)("%s: %s %s", async (path, name, failure, prediction) => {
    const explanation = explained.get(path)!
    for (const other of ["main", "backup"] as const) {
      // Those before it cannot be reached, those after it are well.
      const isBefore = other === "main" && name === "backup"
      await services[other].play(other === name ? actOf(failure) : isBefore ? "closed" : well)
    }
    const startedAt = performance.now()
    const real = await happened(path)
    const tookMs = performance.now() - startedAt
    const { ending, attempts, orEnding } = prediction
    expect(orEnding).toBeNull()
    const { code, outcome, servedBy, isDegraded, status, reason } = ending
    if (code === null) expect(real).toMatchObject({ code, outcome, servedBy, isDegraded, attempts: prediction.attemptsInAll.most })
    else expect(real).toMatchObject({ code, outcome, status, reason })
    // A service that is not there cannot count.
    if (failure !== "cannot be reached") expect(services[name].asked).toBe(attempts.most)
    // Starting the application and a busy machine are no part of what was foretold.
    expect(tookMs).toBeLessThan(explanation.worstCase.ms + 1_000)
  })

  test("code that throws: as foretold", async () => {
    const [prediction] = explained.get("own")!.predictions
    const { code, status, outcome, reason } = prediction!.ending
    expect(await happened("own")).toMatchObject({ code, status, outcome, reason })
  })
})

describe("at worst", () => {
  test("the sum of attempts and pauses, as the services hang", () => {
    // 3 × 150 + 10 + 20, then 2 × 150 + 100
    expect(explained.get("readOr")!.worstCase).toMatchObject({ ms: 880, uncutMs: 880, deadlineMs: 5_000 })
  })

  test("a deadline before that: cuts, and says where", () => {
    const { worstCase } = explained.get("shortRead")!
    expect(worstCase).toMatchObject({ ms: 100, uncutMs: 480 })
    expect(worstCase.tries.map(({ isCut }) => isCut)).toEqual([true, true, true])
  })
})
