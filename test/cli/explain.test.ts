import { describe, expect, test } from "vitest"
import { APP, APP_WITH_SECRET, folder, json, trestle } from "./kit.ts"

const HEAD = `import { anyone, env, fallback, op, rest, role, trestle } from "trestle"
import { z } from "zod"
`
const WITH_FALLBACK = `${HEAD}
const crm = rest({ url: env("CRM_URL"), policy: { timeout: "800ms", retry: { times: 1, backoff: "200ms" } } })
const eu = rest({ url: env("CRM_EU_URL"), replicaOf: crm })
const show = op({ http: "GET /things/{id}", input: z.object({ id: z.string() }), output: z.object({}), errors: { GONE: 410 }, allow: role("reader"), anyObject: "all may", deadline: "2s" })
  .via(fallback(crm.call("GET /t/{id}", { errors: { 410: "GONE" }, policy: { timeout: "300ms" } }), eu.call("GET /t/{id}")))
export const app = trestle({ name: "things", ops: { show }, defaults: { reads: { concurrency: 9 } } })
`

describe("explain an operation", () => {
  test("every effective value with the line that decides it", async () => {
    const { code, stdout, stderr } = await trestle(["explain", "show"], { cwd: folder({ "app.ts": WITH_FALLBACK }) })
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toMatch(/^show {3}read {3}app\.ts:6$/m)
    expect(stdout).toMatch(/reached by +GET \/things\/\{id\}, POST \/rpc\/show$/m)
    expect(stdout).toMatch(/open to +role reader; any object: all may$/m)
    expect(stdout).toMatch(/deadline +2s +the operation, app\.ts:6$/m)
    expect(stdout).toMatch(/overload +refused at turns of 100ms +built in$/m)
    expect(stdout).toMatch(/timeout +300ms an attempt +the call, app\.ts:7$/m)
    expect(stdout).toMatch(/repeats +at most 1 +the service, app\.ts:4$/m)
    expect(stdout).toMatch(/pauses +up to 200ms +the service, app\.ts:4$/m)
    expect(stdout).toMatch(/repeats +at most 2 +built in$/m)
    expect(stdout).toMatch(/at once +9, 512 more may wait +the application's defaults$/m)
    expect(stdout).toMatch(/at worst 2s: the deadline cuts what would take \S+$/m)
    expect(stdout).toContain("the deadline ends it")
    expect(stdout).toContain("its turn never comes")
  })

  test("a write: what its callers may call again", async () => {
    const place = (repeat: string): string =>
      `${HEAD}const crm = rest({ url: env("CRM_URL") })
const place = op({ http: "POST /things", input: z.object({}), output: z.object({}), allow: anyone("a test"), repeat: "${repeat}" }).via(crm.call("POST /t"))
export const app = trestle({ name: "things", ops: { place } })
`
    const told = async (repeat: string) => (await trestle(["explain", "place"], { cwd: folder({ "app.ts": place(repeat) }) })).stdout
    expect(await told("key")).toMatch(/called again +under one Idempotency-Key: one effect, the same answer for (24h|1d)$/m)
    expect(await told("natural")).toMatch(/called again +has no further effect$/m)
    expect(await told("none")).toMatch(/called again +may have its effect again$/m)
  })

  test("hedge, probes and adaptive places, where they are asked for", async () => {
    const app = WITH_FALLBACK.replace(
      'times: 1, backoff: "200ms" }',
      'times: 1, backoff: "200ms" }, hedge: "100ms", concurrency: "adaptive", breaker: { failures: 4, of: 8, rest: "1s", probes: 3 }',
    ).replace("reads: {", "shed: false, reads: {")
    const { stdout } = await trestle(["explain", "show"], { cwd: folder({ "app.ts": app }) })
    expect(stdout).toMatch(/hedged +a second one after 100ms +the service, app\.ts:4$/m)
    expect(stdout).toMatch(/breaker +opens at 4 of 8, rests 1s, closes after 3 good probes +the service, app\.ts:4$/m)
    expect(stdout).toMatch(/at once +4 to 128, 512 more may wait +the service, app\.ts:4$/m)
    expect(stdout).toMatch(/overload +never refused for it +the application's defaults$/m)
    // Both attempts of the hedge, and its repeat.
    expect(stdout).toMatch(/gives no answer in time[^\n]*\n(?: {2}.*\n)?\s+3 attempts/m)
  })

  test("each failure: attempts, who answers, what the caller gets", async () => {
    const { stdout } = await trestle(["explain", "show"], { cwd: folder({ "app.ts": WITH_FALLBACK }) })
    expect(stdout).toMatch(/cannot be reached;[^\n]*\n(?: {2}.*\n)?\s+2 attempts, then crm-eu answers: 200, degraded$/m)
    expect(stdout).toMatch(/says 410\n\s+1 attempt, then the caller gets 410 GONE \(a real answer, nothing replaces it\)$/m)
  })

  test("a write that is put off, and a flow that runs it: 202, and it is done later", async () => {
    const app = `${HEAD.replace("anyone,", "anyone, defer,").replace("fallback,", "fallback, flow,")}
const crm = rest({ url: env("CRM_URL") })
const keep = op({ effect: "write", input: z.object({}), output: z.object({}) })
  .via(fallback(crm.call("POST /t"), defer(() => { throw new Error("code of the application") })))
const place = op({ http: "POST /things", input: z.object({}), output: z.object({}), allow: anyone("a test"), deadline: "5s" })
  .via(flow((input, s) => s.run(keep, input)))
export const app = trestle({ name: "things", ops: { keep, place } })
`
    const told = async (operation: string) => (await trestle(["explain", operation], { cwd: folder({ "app.ts": app }) })).stdout
    const kept = await told("keep")
    expect(kept).toMatch(/cannot be reached;[^\n]*\n\s+3 attempts, then the caller gets 202: it is kept, and done later$/m)
    expect(kept).toMatch(/drops the connection;[^\n]*\n(?: {2}.*\n)?\s+1 attempt, then the caller gets 202: it is kept, and done later$/m)
    expect(kept).toMatch(/says 404\n\s+1 attempt, then the caller gets 404 NOT_FOUND/m)
    const flow = await told("place")
    expect(flow).toMatch(
      /throws, or a step fails that it does not catch\n\s+what was done is undone, then the caller gets 500 INTERNAL \(nothing has happened\)$/m,
    )
    expect(flow).toMatch(/^at worst 5s: then the caller gets 202 PENDING, and it goes on$/m)
  })

  const WORK = `${HEAD.replace("anyone,", "anyone, code, flow, nothing, placeholder, sqlite, topic,")}
const crm = rest({ url: env("CRM_URL"), policy: { retry: 0 } })
const shop = sqlite({ file: "shop.db", outbox: true })
const Message = z.object({ id: z.string() })
const placed = topic("order.placed", Message, { key: ({ id }) => id })
const noted = topic("order.noted", Message, { version: 3 })
const work = { effect: "write", input: Message, output: nothing } as const
const refund = op({ ...work, repeat: "natural" }).via(code(() => undefined))
const buy = op({ http: "POST /orders", input: Message, output: nothing, allow: anyone("a test"), anyObject: "a test", repeat: "key" })
  .via(flow(async (input, s) => s.run(refund, input), { grants: [refund], databases: [shop], within: "3h" }))
const draft = op({ ...work, repeat: "natural" }).via(flow(async (input, s) => s.run(refund, input), { durable: false, why: "cheap to lose" }))
const send = op({ ...work, on: placed, repeat: "key", delivery: { times: 3, backoff: "2s" } }).via(crm.call("POST /mails", { map: () => undefined }))
const guess = op({ ...work, on: noted, repeat: "natural" }).via(placeholder(undefined, "no model yet"))
const tidy = op({ effect: "write", every: "10s", repeat: "natural", input: nothing, output: nothing }).via(crm.call("PUT /tidy", { map: () => undefined }))
export const app = trestle({ name: "shop", ops: { refund, orders: { buy, draft }, mails: { send }, guess, tidy } })
`
  const work = async (operation: string): Promise<string> => {
    const { code, stdout, stderr } = await trestle(["explain", operation], { cwd: folder({ "app.ts": WORK }) })
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    return stdout
  }

  test("a flow: that it is kept, resumed, undone and parked, for how long, and what it may run", async () => {
    const told = await work("orders.buy")
    expect(told).toMatch(/kept +in the store: after a crash it goes on where it was$/m)
    expect(told).toMatch(/steps +its function asks for them, and no declaration knows them/m)
    expect(told).toMatch(/may run +what its caller may, and refund \(grants\)$/m)
    expect(told).toMatch(/databases +shop$/m)
    expect(told).toMatch(/fails +.*what was done is undone, last first$/m)
    expect(told).toMatch(/unknown +.*parked: a person says what happened$/m)
    expect(told).toMatch(/within +3h; then what was done is undone: TIMEOUT$/m)
    expect(told).toMatch(/called again .* the same answer for 27h$/m)
  })

  test("a flow without a store: that it is lost with the process", async () => {
    const told = await work("orders.draft")
    expect(told).toMatch(/kept +in memory alone: what it has begun is lost with the process$/m)
    expect(told).not.toMatch(/within|parked|jobs show/)
  })

  test("a consumer: its topic, order and delivery, and what becomes of a message; no caller", async () => {
    const told = await work("mails.send")
    expect(told).toMatch(/reached by +on order\.placed v1, in order per key$/m)
    expect(told).toMatch(/tried +3 times; pauses of up to 2s, 4s, together 6s at most$/m)
    expect(told).toMatch(/then +dead: the later messages of its key wait until a person decides \(onDead: block\)$/m)
    expect(told).toMatch(
      /cannot be reached;[^\n]*\n(?: {2}.*\n)*?\s+1 attempt, then UNAVAILABLE: the message waits for it, a day without counting/m,
    )
    expect(told).toMatch(
      /drops the connection;[^\n]*\n(?: {2}.*\n)*?\s+1 attempt, then OUTCOME_UNKNOWN: the message is tried again, 3 runs in all/m,
    )
    expect(told).toMatch(/says 404\n\s+1 attempt, then NOT_FOUND: the message is dead at once/m)
    expect(told).not.toMatch(/caller gets|internal/)
  })

  test("a placeholder on a topic: that messages are gone", async () => {
    expect(await work("guess")).toMatch(/reached by +on order\.noted v3, in no order$/m)
    expect(await work("guess")).toMatch(/placeholder +no model yet; messages that it takes are gone$/m)
  })

  test("a schedule: how often, the next time, and what becomes of a run", async () => {
    const told = await work("tidy")
    expect(told).toMatch(/reached by +every 10s, next 20\d\d-\d\d-\d\d \d\d:\d\d:\d0 UTC$/m)
    expect(told).toMatch(/tried +10 times; pauses of up to 1s, 2s, 4s, \.\.\., 4\.3m, together 8\.5m at most$/m)
    expect(told).toMatch(/UNAVAILABLE: the run is tried again, 10 runs in all, then dead$/m)
    expect(told).not.toMatch(/caller gets|internal|while away/)
  })

  test("--json: the same as data", async () => {
    const document = json(await trestle(["explain", "show", "--json"], { cwd: folder({ "app.ts": WITH_FALLBACK }) }))
    expect(document).toMatchObject({
      schema: "trestle.explain/1",
      ok: true,
      summary: { operation: "show", worstCaseMs: 2000, deadlineMs: 2000 },
      backend: { kind: "fallback", parts: [{ leaf: 0, policies: { timeout: { value: 300, from: { by: "call" } } } }, { leaf: 1 }] },
    })
    expect(document.predictions).toContainEqual({
      leaf: 0,
      of: "crm",
      isService: true,
      failure: "says 503",
      attempts: { least: 2, most: 2 },
      attemptsInAll: { least: 3, most: 3 },
      ending: { servedBy: "crm-eu", isDegraded: true, isPending: false, code: null, status: 200, outcome: "ok", reason: null, fate: null },
      orEnding: null,
    })
  })

  test("needs no secret and no network; code of the application is not run", async () => {
    expect(await trestle(["explain", "show"], { cwd: folder({ "app.ts": APP_WITH_SECRET }) })).toMatchObject({ code: 0 })
    const { code, stdout, stderr } = await trestle(["explain", "notes.list"], { cwd: folder({ "app.ts": APP }) })
    expect(code).toBe(0)
    expect(stderr).not.toContain("noise of the call")
    expect(stdout).toContain("code takes as long as it takes")
  })

  test("a finding that is none: exit 2, and not taken for an operation", async () => {
    const ran = await trestle(["explain", "trs9999"], { cwd: folder({ "app.ts": APP }) })
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no finding "trs9999"') })
  })

  test("a path that is none: exit 2, the nearest", async () => {
    const ran = await trestle(["explain", "notes.lst"], { cwd: folder({ "app.ts": APP }) })
    expect(ran).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining('Did you mean "notes.list"?') })
  })
})

describe("explain a code, without an application", () => {
  test.each([
    ["TRS1002", "TRS1002: http without allow", "right:"],
    ["trs2001", "TRS2001: unset setting", "Why:"],
    ["OUTCOME_UNKNOWN", "502", "look whether it happened"],
    ["timeout-sent", "unknown", "no whole answer within"],
  ])("%s", async (subject, ...texts) => {
    const { code, stdout, stderr } = await trestle(["explain", subject], { cwd: folder() })
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    for (const text of texts) expect(stdout).toContain(text)
    expect(stdout).not.toMatch(/```|\]\(/)
  })

  test("a declared code: the operations that may answer with it", async () => {
    const { stdout } = await trestle(["explain", "FULL"], { cwd: folder({ "app.ts": APP }) })
    expect(stdout).toContain("409  notes.create")
  })
})
