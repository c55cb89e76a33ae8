// Writes that are kept for later: what is sent, when, in which order, and what becomes of those that cannot be sent.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { authenticator, code, type DeferOptions, defer, env, fallback, op, type Principal, rest, role, trestle } from "../../src/index.ts"
import { type TestApp, type TestAppOptions, testApp } from "../../src/testing/index.ts"
import { rememberingLog, standInReferences, THROWAWAY } from "../../src/testing/stand-ins.ts"

const Person = z.object({ id: z.string(), name: z.string() })
const Stored = z.object({ id: z.string(), state: z.string() })
const ada: Principal = { id: "ada", kind: "user", roles: ["clerk"] }
const people = rest({ url: "http://people.test", name: "people", policy: { retry: 0, breaker: false, timeout: "1s" } })

interface Declared extends DeferOptions<z.infer<typeof Person>, z.infer<typeof Stored>> {
  readonly hasKey?: boolean
}

function appOf({ hasKey = true, ...options }: Declared = {}, ended: () => boolean = () => false) {
  const save = op({
    http: "PUT /people",
    input: Person,
    output: Stored,
    errors: { TAKEN: 409 },
    allow: role("clerk"),
    anyObject: "a test",
  }).via(
    fallback(
      people.call("POST /people", {
        body: ({ id, name }) => ({ name, id }),
        map: (_, { id }) => ({ id, state: "there" }),
        repeat: hasKey ? { key: "Idempotency-Key" } : "none",
        errors: { 409: "TAKEN" },
      }),
      defer(({ id }) => ({ id, state: "pending" }), options),
    ),
  )
  const badge = authenticator("badge", () => null, { resolve: (who) => (ended() ? "ended" : who) })
  return trestle({ name: "later", ops: { save }, authenticate: [badge] })
}

/** Calls as Ada; gives the answer with its `meta`. */
function save(t: TestApp<any>, id: string, name = "Ada"): Promise<any> {
  return (t.as(ada) as any).save.safe({ id, name })
}

/** Time goes by, and what is due is done. */
async function later(t: TestApp<any>, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) {
    await t.clock.advance("15m")
    await t.drain()
  }
}

const there = (t: TestApp<any>): TestApp<any> => t.wire(people).up().wire(people).on("POST /people").reply(200, {})
const states = async (t: TestApp<any>): Promise<string[]> =>
  (await t.jobs()).map(({ state, history }) => `${state} ${history.at(-1)?.code ?? ""}`.trim())
const open = (declared?: Declared, options?: TestAppOptions): Promise<TestApp<any>> => testApp(appOf(declared), options) as never

describe("a write whose service is not there", () => {
  test("→ answered as pending, with the id of its work; sent when the service is back, and done with its real answer", async () => {
    await using t = await open()
    t.wire(people).down()
    const result = await save(t, "1")
    expect(result).toMatchObject({
      ok: true,
      value: { id: "1", state: "pending" },
      meta: { work: expect.stringMatching(/^[0-9a-f]{32}$/) },
    })
    expect(result.meta.degraded).not.toBe(false)
    there(t)
    await later(t)
    expect(t.sent(people)).toHaveLength(1)
    expect(await t.work(result.meta.work)).toMatchObject({ state: "done", answer: { id: "1", state: "there" } })
  })

  test("with an order key → sent in the order of the calls; later ones of the key queue, others do not", async () => {
    await using t = await open({ key: ({ id }) => id })
    t.wire(people).down()
    await save(t, "1", "first")
    there(t)
    expect((await save(t, "1", "second")).value.state).toBe("pending")
    expect((await save(t, "2", "other")).value.state).toBe("there")
    await later(t, 2)
    expect(t.sent(people).map(({ body }) => (body as { name: string }).name)).toEqual(["other", "first", "second"])
    expect((await save(t, "1", "third")).value.state).toBe("there")
  })

  test("is answered with an error later → a dead letter, and its caller sees which", async () => {
    await using t = await open()
    t.wire(people).down()
    const { meta } = await save(t, "1")
    t.wire(people).up().wire(people).on("POST /people").reply(409, {})
    await later(t)
    expect(await states(t)).toEqual(["dead TAKEN"])
    expect(await t.work(meta.work)).toMatchObject({ state: "failed", problem: { code: "TAKEN", status: 409 } })
  })

  test("for longer than it may wait → a dead letter, never sent", async () => {
    await using t = await open({ expires: "1h" })
    t.wire(people).down()
    const { meta } = await save(t, "1")
    await later(t, 5)
    expect(await states(t)).toEqual(["dead TIMEOUT"])
    expect(await t.work(meta.work)).toMatchObject({ state: "failed", problem: { code: "TIMEOUT" } })
    there(t)
    await later(t)
    expect(t.sent(people)).toHaveLength(0)
  })

  test("whose caller may do nothing any more → parked, never sent", async () => {
    let hasEnded = false
    await using t = (await testApp(appOf({}, () => hasEnded))) as TestApp<any>
    t.wire(people).down()
    const { meta } = await save(t, "1")
    hasEnded = true
    there(t)
    await later(t)
    expect([await states(t), t.sent(people).length]).toEqual([["parked FORBIDDEN"], 0])
    expect(await t.work(meta.work)).toMatchObject({ state: "parked" })
  })
})

describe("a write that may have happened", () => {
  test("under a key of the service → sent again under the same key, byte for byte the same", async () => {
    await using t = await open()
    t.wire(people).on("POST /people").drops({ times: 1 })
    there(t)
    expect((await save(t, "1")).value.state).toBe("pending")
    await later(t)
    const [first, second] = t.sent(people)
    expect(t.sent(people)).toHaveLength(2)
    expect(first!.headers["idempotency-key"]).toMatch(/\S/)
    expect([second!.headers["idempotency-key"], JSON.stringify(second!.body)]).toEqual([
      first!.headers["idempotency-key"],
      JSON.stringify(first!.body),
    ])
    expect(await states(t)).toEqual([expect.stringContaining("done")])
  })

  test("without a key and without reconcile → parked for a person, never sent again", async () => {
    await using t = await open({ hasKey: false })
    t.wire(people).on("POST /people").drops({ times: 1 })
    there(t)
    expect((await save(t, "1")).value.state).toBe("pending")
    await later(t, 3)
    expect([await states(t), t.sent(people).length]).toEqual([["parked"], 1])
  })

  test("that reconcile finds → done with what it found, never sent again", async () => {
    await using t = await open({ hasKey: false, reconcile: async ({ id }) => ({ id, state: "found" }) })
    t.wire(people).on("POST /people").drops({ times: 1 })
    there(t)
    const { meta } = await save(t, "1")
    await later(t)
    expect(t.sent(people)).toHaveLength(1)
    expect(await t.work(meta.work)).toMatchObject({ state: "done", answer: { id: "1", state: "found" } })
  })

  test("that reconcile does not find → sent", async () => {
    await using t = await open({ hasKey: false, reconcile: async () => null })
    t.wire(people).on("POST /people").drops({ times: 1 })
    there(t)
    const { meta } = await save(t, "1")
    await later(t)
    expect(t.sent(people)).toHaveLength(2)
    expect(await t.work(meta.work)).toMatchObject({ state: "done", answer: { id: "1", state: "there" } })
  })

  test("whose reconcile cannot be asked → looked for again later, not sent meanwhile", async () => {
    let isThere = false
    const reconcile = async (): Promise<null> => {
      if (!isThere) throw new Error("cannot be asked")
      return null
    }
    await using t = await open({ hasKey: false, reconcile })
    t.wire(people).on("POST /people").drops({ times: 1 })
    there(t)
    await save(t, "1")
    await later(t, 2)
    expect(t.sent(people)).toHaveLength(1)
    isThere = true
    await later(t, 2)
    expect(t.sent(people)).toHaveLength(2)
  })
})

describe("no deferral", () => {
  test("after a real answer → the answer", async () => {
    await using t = await open()
    t.wire(people).on("POST /people").reply(409, {})
    expect(await save(t, "1")).toMatchObject({ ok: false, code: "TAKEN" })
    expect(await t.jobs()).toEqual([])
  })

  test("the store is not there either → the write's own failure: nothing was kept", async () => {
    const running = await startApp(appOf(), {
      ...THROWAWAY,
      log: rememberingLog([]),
      transportOf: () => () =>
        ({
          send: () => {
            throw new Error("never")
          },
          close: async () => {},
        }) as never,
      durable: {
        isByHand: true,
        published: () => {},
        opened: (parts) => {
          // Whatever is put from here on is refused.
          parts.store.unit = () => Promise.reject(new Error("gone"))
        },
      },
    })
    const result = (await (running.as(ada) as any).save.safe({ id: "1", name: "Ada" })) as { ok: boolean; value?: unknown }
    expect(result.ok).toBe(false)
    await running.close()
  })
})

test("defer() round code that only fails → its failure", async () => {
  const failing = op({ effect: "write", input: Person, output: Stored }).via(
    fallback(
      code<z.infer<typeof Person>, z.infer<typeof Stored>>(() => {
        throw new Error("a mistake")
      }),
      defer(({ id }) => ({ id, state: "pending" })),
    ),
  )
  await using t = await testApp(trestle({ name: "mistakes", ops: { failing } }))
  // A throw may have come after an effect, and nobody has promised that it may be repeated.
  expect(await t.internal().failing.safe({ id: "1", name: "" })).toMatchObject({ ok: true, value: { state: "pending" } })
  expect((await t.jobs()).map(({ state }) => state)).toEqual(["parked"])
})

test("over real sockets: the connection breaks, then the service is back → sent again at once, the same bytes under the same key", async () => {
  const arrived: { key: unknown; bytes: string }[] = []
  const twice = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    arrived.push({ key: request.headers["idempotency-key"], bytes: (await buffer(request)).toString("hex") })
    if (arrived.length === 1) return void request.socket.destroy()
    response.setHeader("content-type", "application/json").end("{}")
    twice.resolve()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const references = { PEOPLE: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  const real = rest({ url: env("PEOPLE"), policy: { retry: 0 } })
  const save = op({ effect: "write", input: Person, output: Stored }).via(
    fallback(
      real.call("POST /people", { body: (i) => i, map: (_, { id }) => ({ id, state: "there" }), repeat: { key: "Idempotency-Key" } }),
      defer(({ id }) => ({ id, state: "pending" })),
    ),
  )
  const running = await startApp(trestle({ name: "sockets", ops: { save } }), {
    ...THROWAWAY,
    log: rememberingLog([]),
    references: standInReferences(references),
  })
  const { value, meta } = await running.internal().save.detailed({ id: "1", name: "Ada Ünal" })
  expect(value.state).toBe("pending")
  await twice.promise
  await expect.poll(async () => (await running.work(meta.work!))?.state).toBe("done")
  expect(arrived[1]).toEqual(arrived[0])
  await running.close()
  server.close()
})
