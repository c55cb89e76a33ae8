// The bot while its services fail: the real application over real HTTP in front of a real world, and a ledger outside both.
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { startApp } from "../../src/assembly/start.ts"
import { freshFolder, type Reply, read } from "./fixture.ts"
import { type Mode, modes } from "./world/modes.ts"
import { type Place, startWorld, type World } from "./world/world.ts"

delete process.env.SCORING_URL
// The JSON log says most: stacks and causes too.
Object.assign(process.env, { TRESTLE_ENV: "production", TRESTLE_DATA: await freshFolder(), PEOPLE_TOKEN: "demo-people-token" })
// Nothing here has a file to send.
Object.assign(process.env, { FILES_URL: "http://127.0.0.1:9", FILES_TOKEN: "unused" })
const { openKeyStore } = await import("trestle")
const { app } = await import("./app.ts")

const DEADLINE_MS = 5_000
const SLACK_MS = 250
const REST_MS = 5_000
const recruiter = { id: "recruiter", kind: "key", roles: ["recruiter"] } as const
/** Stands on the page that a failing service shows, and nowhere else. */
const NEVER_SAID =
  /PersonDao|NullPointer|catalina|oracle|ORA-01403|hr_app|HR_PERSON|fake-demo-password|10\.2\.0\.14|HRPROD|hr\.internal|HR-Core/i
const NEVER_ANSWERED = /127\.0\.0\.1|ECONN|drifted|person_no|full_nm|fullName|demo-people-token| {4}at /

/** What of it stands in a text all the same, with a little of what is round it. */
function never(pattern: RegExp, text: string): string[] {
  return [...text.matchAll(new RegExp(pattern, "gi"))].map(({ index }) => text.slice(Math.max(0, index - 40), index + 60))
}

interface Arrival {
  readonly service: Place
  readonly name: string
  readonly text: string | undefined
}

interface Pair {
  readonly world: World
  readonly running: Awaited<ReturnType<(typeof app)["start"]>>
  /** Every request that has reached the people service or its replica. */
  readonly arrivals: Arrival[]
  /** Addresses of which a registration has arrived although their record could be seen. */
  readonly sentAgain: string[]
  call(route: string, body?: object): Promise<Reply & { ms: number }>
  register(email: string): Promise<Reply & { ms: number }>
  /** Ends both; the lines of the log. */
  close(): Promise<string>
}

/** Closed with the tests that could not do it themselves; closing twice does no harm. */
const open: { close(): Promise<void> }[] = []
afterAll(() => Promise.all(open.map((one) => one.close())))

async function startPair(): Promise<Pair> {
  const arrivals: Arrival[] = []
  const sentAgain: string[] = []
  const heard = (service: Place, name: string, text: string | undefined) => {
    arrivals.push({ service, name, text })
    const email = name === "POST /v2/people" && text !== undefined ? JSON.parse(text).e_mail : undefined
    if (world.records().some(({ e_mail }) => e_mail === email)) sentAgain.push(email)
  }
  const world = await startWorld({ folder: await freshFolder(), heard })
  const { people, replica, control } = world.urls
  // What is kept is each one's own, or it would be done by another.
  const folder = await freshFolder()
  const made = await openKeyStore({ folder }).create({ name: "recruiter", roles: ["recruiter"], permissions: [], expiresInMs: null })
  // Read at once by the start that follows, so pairs may be started side by side.
  const urls = { PEOPLE_URL: people, PEOPLE_REPLICA_URL: replica, DEMO_WORLD_URL: control }
  Object.assign(process.env, urls, { TRESTLE_DATA: folder, INTERVIEW_DB: join(folder, "interview.db") })
  let log = ""
  const write = (lines: string): void => {
    log += lines
  }
  const running = await startApp(app, { logOptions: { destination: { write } } })
  const { url } = await running.listen({ port: 0 })
  let said = ""
  let metas = ""
  const call: Pair["call"] = async (route, body) => {
    const [method = "", path = ""] = route.split(" ")
    const headers = { authorization: `Bearer ${made.key}`, "content-type": "application/json" }
    const startedAt = performance.now()
    const reply = await read(await fetch(url + path, { method, headers, body: body ? JSON.stringify(body) : null }))
    // Why an answer is degraded is for who holds meta:read, and may name what has drifted; everything else is for anybody.
    const { "trestle-meta": meta, ...headersForAnybody } = Object.fromEntries(reply.headers)
    said += `${reply.text}\n${JSON.stringify(headersForAnybody)}\n`
    metas += meta ?? ""
    return { ...reply, ms: performance.now() - startedAt }
  }
  const close = async (): Promise<string> => {
    await running.close()
    await world.close()
    expect(never(NEVER_SAID, said + metas + log)).toEqual([])
    expect(never(NEVER_ANSWERED, said)).toEqual([])
    expect(never(/ibt_|trs_|demo-people-token/, metas + log)).toEqual([])
    return log
  }
  open.push(running, world)
  const register: Pair["register"] = (email) => call("POST /candidates", { name: "Ada", email, level: "senior" })
  return { world, running, arrivals, sentAgain, call, register, close }
}

// -- what each mode must lead to -----------------------------------------------------------------

type Operation = "register" | "show" | "list"
interface Expected {
  readonly attempts: number
  readonly servedBy: "people" | "people-replica" | null
  readonly code: string | null
}

/** Attempts at a service that plays a mode: what can go better is tried once more, a write only when nothing can have happened. */
const ATTEMPTS: Readonly<Record<"read" | "write", Record<Mode, number>>> = {
  read: { ok: 1, slow: 2, failing: 2, refusing: 2, drifting: 1 },
  write: { ok: 1, slow: 1, failing: 1, refusing: 2, drifting: 1 },
}
const READ_CODES: Readonly<Record<Mode, string | null>> = {
  ok: null,
  slow: "TIMEOUT",
  failing: "UNAVAILABLE",
  refusing: "UNAVAILABLE",
  drifting: "INTERNAL",
}
const STATUS: Readonly<Record<string, number>> = { TIMEOUT: 504, UNAVAILABLE: 503, INTERNAL: 500, PENDING: 202 }

function expectedOf(operation: Operation, people: Mode, replica: Mode): Expected {
  const effect = operation === "register" ? "write" : "read"
  const fallsBack = effect === "read" ? people !== "ok" : people === "refusing"
  const last = fallsBack ? replica : people
  const attempts = ATTEMPTS[effect][people] + (fallsBack ? ATTEMPTS[effect][replica] : 0)
  // A registration that nobody takes, or of which nobody knows whether it was taken, is kept.
  const code = last === "ok" ? null : effect === "read" ? READ_CODES[last] : "PENDING"
  return { attempts, servedBy: code ? null : fallsBack ? "people-replica" : "people", code }
}

const worstMs = new Map<string, number>()
function timed(mode: string, ms: number): void {
  worstMs.set(mode, Math.max(worstMs.get(mode) ?? 0, ms))
  expect(ms).toBeLessThan(DEADLINE_MS + SLACK_MS)
}
afterAll(() => {
  if (process.env.FIGURES) for (const [mode, ms] of worstMs) console.log(`${mode.padEnd(50)} ${Math.round(ms).toString().padStart(5)} ms`)
})

const pairsOfModes = modes.flatMap((people) => modes.map((replica) => ({ people, replica })))
const cases = (["register", "show", "list"] as const).flatMap((operation) => pairsOfModes.map((pair) => ({ operation, ...pair })))

describe("every mode", () => {
  test.concurrent.each(cases)("$operation, people $people, replica $replica: right, or a typed problem, in time", async (wanted) => {
    const { operation, people, replica } = wanted
    const expected = expectedOf(operation, people, replica)
    const pair = await startPair()
    const first = operation === "register" ? null : await settled(pair, "first@x.io", await pair.register("first@x.io"))
    const id = first?.id ?? ""
    await pair.world.fail("people", people)
    await pair.world.fail("replica", replica)
    const before = pair.arrivals.length
    const reply =
      operation === "register"
        ? await pair.register("ada@x.io")
        : await pair.call(operation === "show" ? `GET /candidates/${id}` : "GET /candidates")
    timed(`${operation}, people ${people}, replica ${replica}`, reply.ms)
    // What is looked up later is no attempt of this call.
    const arrived = pair.arrivals.slice(before).filter(({ name }) => operation !== "register" || name === "POST /v2/people").length

    expect(reply.body.code ?? null).toBe(expected.code)
    if (expected.code) {
      const outcome = expected.code === "PENDING" ? "unknown" : expect.any(String)
      expect(reply).toMatchObject({
        status: STATUS[expected.code],
        type: expect.stringContaining("application/problem+json"),
        body: { outcome },
      })
      expect(reply.headers.get("trestle-meta")).toBeNull()
    } else {
      const meta = JSON.parse(reply.headers.get("trestle-meta")!)
      const degraded = expected.servedBy === "people" ? false : { why: expect.stringMatching(/^people: /) }
      expect(meta).toMatchObject({ servedBy: expected.servedBy, attempts: expected.attempts, degraded })
      if (operation === "show") expect(reply.body).toMatchObject({ id, email: "first@x.io", level: "senior", active: true })
      if (operation === "list") expect(reply.body).toMatchObject({ total: 1, candidates: [{ id }] })
    }
    // Attempts at a service that refuses connections cannot be seen from there.
    const unseen = (people === "refusing" ? 2 : 0) + (replica === "refusing" && expected.attempts > 2 ? 2 : 0)
    if (people !== "refusing" && replica !== "refusing") expect(arrived).toBe(expected.attempts)
    else expect(arrived).toBeGreaterThanOrEqual(expected.attempts - unseen)

    const endOfBob = await sameInProcess(pair, wanted, id, expected)
    await pair.world.fail("people", "ok")
    await pair.world.fail("replica", "ok")
    const registered = first ? [first] : [await settled(pair, "ada@x.io", reply), await endOfBob()]
    const log = await pair.close()
    const lines = log.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []))
    const [line] = lines.filter(
      ({ trace, entrance }) => trace === (reply.body.trace ?? reply.headers.get("x-request-id")) && entrance === "http",
    )
    expect(line).toMatchObject({ operation: `candidates.${operation}`, status: reply.status, caller: "key:recruiter" })
    if (expected.code !== "PENDING") expect(line.attempts).toBe(expected.attempts)
    if (expected.servedBy) expect(line.servedBy).toBe(expected.servedBy)
    expect("degraded" in line).toBe(expected.servedBy === "people-replica")
    writtenOnce(pair, registered)
  })
})

/** The same call once more, in process, and how it has ended where it registers: circuits may be open by now, so the ledger says how many attempts there can have been. */
async function sameInProcess(
  pair: Pair,
  wanted: (typeof cases)[number],
  id: string,
  expected: Expected,
): Promise<() => Promise<Registered>> {
  const { running, arrivals } = pair
  const before = arrivals.length
  const { candidates } = running.as(recruiter)
  const startedAt = performance.now()
  const result = await {
    register: () => candidates.register.safe({ name: "Bob", email: "bob@x.io", level: "junior" }),
    show: () => candidates.show.safe({ id }),
    list: () => candidates.list.safe({ page: 1 }),
  }[wanted.operation]()
  timed(`${wanted.operation}, people ${wanted.people}, replica ${wanted.replica}`, performance.now() - startedAt)
  const isRegistering = wanted.operation === "register"
  // Where the circuit of the people service is open by now, the replica is asked, which may be well.
  const isOther = isRegistering && wanted.people !== "ok"
  if (!isOther) expect(result.ok).toBe(expected.code === null)
  if (!result.ok) {
    expect(isRegistering ? ["PENDING"] : ["TIMEOUT", "UNAVAILABLE", "INTERNAL"]).toContain(result.code)
    return async () => ({ email: "bob@x.io", told: "pending", id: await endOf(pair, result.work!) })
  }
  const { meta, value } = result
  if (!isOther) expect(meta.servedBy).toBe(expected.servedBy)
  expect(meta.degraded !== false).toBe(meta.servedBy === "people-replica")
  if (!isRegistering && wanted.people !== "refusing") expect(meta.attempts).toBe(arrivals.length - before)
  return async () => ({ email: "bob@x.io", told: "created", id: (value as { id: string }).id })
}

// -- the ledger ----------------------------------------------------------------------------------

/** A registration that has come to its end. */
interface Registered {
  readonly email: string
  /** What its caller was told at first. */
  readonly told: "created" | "pending"
  readonly id: string
}

/** Its end, when the services are well again; nothing but a record is one. */
async function settled(pair: Pair, email: string, reply: Reply): Promise<Registered> {
  if (reply.status === 201) return { email, told: "created", id: reply.body.id }
  expect(reply, email).toMatchObject({ status: 202, body: { code: "PENDING" } })
  expect(reply.headers.get("location")).toBe(`/work/${reply.body.work}`)
  return { email, told: "pending", id: await endOf(pair, reply.body.work) }
}

async function endOf({ running }: Pair, work: string): Promise<string> {
  for (;;) {
    const report = await running.work(work)
    expect(["waiting", "running", "done"]).toContain(report?.state)
    if (report?.state === "done") return (report.answer as { id: string }).id
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Each registration has one record, its own; nothing was sent again that could be seen to be there. */
function writtenOnce({ arrivals, sentAgain, world }: Pair, registered: readonly Registered[]): Record<string, number> {
  const posts = arrivals.flatMap(({ name, text }) => (name === "POST /v2/people" && text !== undefined ? [JSON.parse(text).e_mail] : []))
  const records = world.records()
  const told: Record<string, number> = { created: 0, pending: 0 }
  for (const one of registered) {
    told[one.told]!++
    expect({ ...one, records: records.filter(({ e_mail }) => e_mail === one.email).map(({ person_no }) => person_no) }).toEqual({
      ...one,
      records: [one.id],
    })
    const sent = posts.filter((email) => email === one.email).length
    if (one.told === "created") expect({ ...one, sent }).toEqual({ ...one, sent: 1 })
  }
  expect(new Set(records.map(({ remark }) => remark)).size).toBe(records.length)
  expect(sentAgain).toEqual([])
  return told
}

/** The same numbers for the same seed. Source: mulberry32, Tommy Ettinger (public domain). */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

describe("no write is ever sent twice", () => {
  const ROUNDS = 10
  const STEPS = 20
  const tellings: Record<string, number>[] = []

  test.concurrent.each(Array.from({ length: ROUNDS }, (_, seed) => seed + 1))(
    `seed %d: ${STEPS} changes of mode, ${STEPS} registrations`,
    async (seed) => {
      const random = seeded(seed)
      const pair = await startPair()
      const underWay: Promise<{ email: string; reply: Reply & { ms: number } }>[] = []
      for (let step = 0; step < STEPS; step++) {
        // The change comes before, during or after the registration of the step before.
        const changing = pair.world.fail(random(3) === 0 ? "replica" : "people", modes[random(modes.length)]!)
        if (random(3) > 0) await changing
        const email = `s${seed}-${step}@x.io`
        underWay.push(pair.register(email).then((reply) => ({ email, reply })))
        if (random(2) === 0) await underWay.at(-1)
      }
      const replies = await Promise.all(underWay)
      for (const { reply } of replies) timed("random", reply.ms)
      tellings.push(await allSettled(pair, replies))
    },
    60_000,
  )

  test("the seeds above: some were done at once, and some later", () => {
    const sum = (told: string): number => tellings.reduce((total, one) => total + (one[told] ?? 0), 0)
    const told = { created: sum("created"), pending: sum("pending") }
    if (process.env.FIGURES) console.log(told)
    expect(told.created + told.pending).toBe(ROUNDS * STEPS)
    expect(Math.min(...Object.values(told))).toBeGreaterThan(5)
  })

  test("fifty at once while modes change: each once, at once or later", async () => {
    const random = seeded(50)
    const pair = await startPair()
    const registering = Array.from({ length: 50 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, random(400)))
      const email = `c${i}@x.io`
      const reply = await pair.register(email)
      timed("fifty at once", reply.ms)
      return { email, reply }
    })
    let isOver = false
    const changing = (async () => {
      while (!isOver) {
        await pair.world.fail(random(2) === 0 ? "people" : "replica", modes[random(modes.length)]!)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    })()
    const replies = await Promise.all(registering)
    isOver = true
    await changing
    const told = await allSettled(pair, replies)
    if (process.env.FIGURES) console.log(told)
  }, 60_000)
})

/** When the services are well again, everything that was begun comes to its end. */
async function allSettled(pair: Pair, replies: readonly { email: string; reply: Reply }[]): Promise<Record<string, number>> {
  await pair.world.fail("people", "ok")
  await pair.world.fail("replica", "ok")
  const registered = await Promise.all(replies.map(({ email, reply }) => settled(pair, email, reply)))
  await pair.close()
  return writtenOnce(pair, registered)
}

describe("recovery", () => {
  test.concurrent.each(["refusing", "failing", "slow", "drifting"] as const)(
    "people %s, then ok: the primary serves again",
    async (mode) => {
      const pair = await startPair()
      const { id } = await settled(pair, "ada@x.io", await pair.register("ada@x.io"))
      const show = async () => JSON.parse((await pair.call(`GET /candidates/${id}`)).headers.get("trestle-meta")!)
      await pair.world.fail("people", mode)
      for (let call = 0; call < 3; call++) expect(await show()).toMatchObject({ servedBy: "people-replica" })
      // An open circuit costs no time and asks nobody; a changed shape is no outage, and opens none.
      const isOpen = mode !== "drifting"
      const open = await show()
      expect(open).toMatchObject({ servedBy: "people-replica", attempts: isOpen ? 1 : 2 })
      if (isOpen) expect(open).toMatchObject({ degraded: { why: "people: circuit breaker is open" } })

      await pair.world.fail("people", "ok")
      const startedAt = performance.now()
      while ((await show()).servedBy !== "people") {
        expect(performance.now() - startedAt).toBeLessThan(REST_MS + 1_000)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      expect(await show()).toMatchObject({ servedBy: "people", attempts: 1, degraded: false })
      const states = [...(await pair.close()).matchAll(/circuit breaker of (people\S*) is (open|half-open|closed)/g)].map(
        ([, service, state]) => `${service} ${state}`,
      )
      expect(states).toEqual(isOpen ? ["people open", "people half-open", "people closed"] : [])
    },
  )
})
