// The bot while its services fail: the real application over real HTTP in front of a real world, and a ledger outside both.
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { startApp } from "../../src/assembly/start.ts"
import { freshFolder, type Reply, read } from "./fixture.ts"
import { type Mode, modes } from "./world/modes.ts"
import { type Place, startWorld, type World } from "./world/world.ts"

delete process.env.SCORING_URL
// The JSON log says most: stacks and causes too.
const TRESTLE_DATA = await freshFolder()
const INTERVIEW_DB = join(TRESTLE_DATA, "interview.db")
Object.assign(process.env, { TRESTLE_ENV: "production", TRESTLE_DATA, INTERVIEW_DB, PEOPLE_TOKEN: "demo-people-token" })
// Nothing here has a file to send.
Object.assign(process.env, { FILES_URL: "http://127.0.0.1:9", FILES_TOKEN: "unused" })
const { openKeyStore } = await import("trestle")
const { app } = await import("./app.ts")

const DEADLINE_MS = 5_000
const SLACK_MS = 250
const REST_MS = 5_000
const recruiter = { id: "recruiter", kind: "key", roles: ["recruiter"] } as const
const { key } = await openKeyStore({ folder: TRESTLE_DATA }).create({
  name: "recruiter",
  roles: ["recruiter"],
  permissions: [],
  expiresInMs: null,
})
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
  const heard = (service: Place, name: string, text: string | undefined) => void arrivals.push({ service, name, text })
  const world = await startWorld({ folder: await freshFolder(), heard })
  const { people, replica, control } = world.urls
  // Read at once by the start that follows, so pairs may be started side by side.
  Object.assign(process.env, { PEOPLE_URL: people, PEOPLE_REPLICA_URL: replica, DEMO_WORLD_URL: control })
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
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }
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
  return { world, running, arrivals, call, register, close }
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
const STATUS: Readonly<Record<string, number>> = { TIMEOUT: 504, UNAVAILABLE: 503, INTERNAL: 500, OUTCOME_UNKNOWN: 502 }

function expectedOf(operation: Operation, people: Mode, replica: Mode): Expected {
  const effect = operation === "register" ? "write" : "read"
  const fallsBack = effect === "read" ? people !== "ok" : people === "refusing"
  const last = fallsBack ? replica : people
  const attempts = ATTEMPTS[effect][people] + (fallsBack ? ATTEMPTS[effect][replica] : 0)
  const code = effect === "read" || last === "refusing" || last === "ok" ? READ_CODES[last] : "OUTCOME_UNKNOWN"
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
    const id = operation === "register" ? "" : (await pair.register("first@x.io")).body.id
    await pair.world.fail("people", people)
    await pair.world.fail("replica", replica)
    const before = pair.arrivals.length
    const reply =
      operation === "register"
        ? await pair.register("ada@x.io")
        : await pair.call(operation === "show" ? `GET /candidates/${id}` : "GET /candidates")
    timed(`${operation}, people ${people}, replica ${replica}`, reply.ms)
    const arrived = pair.arrivals.length - before

    expect(reply.body.code ?? null).toBe(expected.code)
    if (expected.code) {
      const outcome = expected.code === "OUTCOME_UNKNOWN" ? "unknown" : operation === "register" ? "refused" : expect.any(String)
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

    await sameInProcess(pair, wanted, id, expected)
    const log = await pair.close()
    const lines = log.split("\n").flatMap((line) => (line ? [JSON.parse(line)] : []))
    const [line] = lines.filter(
      ({ trace, entrance }) => trace === (reply.body.trace ?? reply.headers.get("x-request-id")) && entrance === "http",
    )
    expect(line).toMatchObject({
      operation: `candidates.${operation}`,
      attempts: expected.attempts,
      status: reply.status,
      caller: "key:recruiter",
    })
    if (expected.servedBy) expect(line.servedBy).toBe(expected.servedBy)
    expect("degraded" in line).toBe(expected.servedBy === "people-replica")
    writtenOnce(
      pair,
      operation === "register" ? [{ email: "ada@x.io", reply }] : [{ email: "first@x.io", reply: { status: 201, body: { id } } }],
    )
  })
})

/** The same call once more, in process: circuits may be open by now, so the ledger says how many attempts there can have been. */
async function sameInProcess(
  { running, arrivals, world }: Pair,
  wanted: (typeof cases)[number],
  id: string,
  expected: Expected,
): Promise<void> {
  const before = arrivals.length
  const { candidates } = running.as(recruiter)
  const startedAt = performance.now()
  const result = await {
    register: () => candidates.register.safe({ name: "Bob", email: "bob@x.io", level: "junior" }),
    show: () => candidates.show.safe({ id }),
    list: () => candidates.list.safe({ page: 1 }),
  }[wanted.operation]()
  timed(`${wanted.operation}, people ${wanted.people}, replica ${wanted.replica}`, performance.now() - startedAt)
  expect(result.ok).toBe(expected.code === null)
  if (!result.ok) {
    expect(["TIMEOUT", "UNAVAILABLE", "INTERNAL", "OUTCOME_UNKNOWN"]).toContain(result.code)
    if (wanted.operation === "register" && result.outcome === "refused")
      expect(world.records().some(({ e_mail }) => e_mail === "bob@x.io")).toBe(false)
    return
  }
  const { meta } = result
  expect(meta.servedBy).toBe(expected.servedBy)
  expect(meta.degraded !== false).toBe(expected.servedBy === "people-replica")
  if (wanted.people !== "refusing") expect(meta.attempts).toBe(arrivals.length - before)
  else expect(meta.attempts).toBeGreaterThanOrEqual(arrivals.length - before)
}

// -- the ledger ----------------------------------------------------------------------------------

interface Registration {
  readonly email: string
  readonly reply: { readonly status: number; readonly body: any }
}

/** No write is ever sent twice, and what the caller was told is so. */
function writtenOnce({ arrivals, world }: Pair, registrations: readonly Registration[]): Record<string, number> {
  const posts = arrivals.filter(({ name }) => name === "POST /v2/people")
  const told: Record<string, number> = {}
  // A request that was cut off before its body was there could be anybody's, so it is everybody's.
  const cut = posts.filter(({ text }) => text === undefined).length
  let accountedFor = 0
  for (const { email, reply } of registrations) {
    const sent = posts.filter(({ text }) => text !== undefined && JSON.parse(text).e_mail === email).length
    const records = world.records().filter(({ e_mail }) => e_mail === email)
    const outcome = reply.status === 201 ? "created" : reply.body.outcome
    told[outcome] = (told[outcome] ?? 0) + 1
    expect({ email, sent }).toEqual({ email, sent: outcome === "refused" ? 0 : outcome === "created" ? 1 : expect.toBeOneOf([0, 1]) })
    if (outcome === "created") expect(records.map(({ person_no }) => person_no)).toEqual([reply.body.id])
    else expect(records.length, `${email} ${outcome}`).toBeLessThanOrEqual(outcome === "unknown" ? 1 : 0)
    if (outcome === "unknown" && sent === 0) accountedFor++
    if (outcome === "answered") expect.unreachable(`${email}: ${JSON.stringify(reply.body)}`)
  }
  expect(cut).toBeLessThanOrEqual(accountedFor)
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
      const underWay: Promise<Registration>[] = []
      for (let step = 0; step < STEPS; step++) {
        // The change comes before, during or after the registration of the step before.
        const changing = pair.world.fail(random(3) === 0 ? "replica" : "people", modes[random(modes.length)]!)
        if (random(3) > 0) await changing
        const email = `s${seed}-${step}@x.io`
        underWay.push(pair.register(email).then((reply) => ({ email, reply })))
        if (random(2) === 0) await underWay.at(-1)
      }
      const registrations = await Promise.all(underWay)
      await pair.close()
      for (const { reply } of registrations) timed("random", (reply as Reply & { ms: number }).ms)
      tellings.push(writtenOnce(pair, registrations))
    },
  )

  test("the seeds above: met every outcome", () => {
    const sum = (outcome: string): number => tellings.reduce((total, told) => total + (told[outcome] ?? 0), 0)
    const told = { created: sum("created"), refused: sum("refused"), unknown: sum("unknown") }
    if (process.env.FIGURES) console.log(told)
    expect(told.created + told.refused + told.unknown).toBe(ROUNDS * STEPS)
    expect(Math.min(...Object.values(told))).toBeGreaterThan(5)
  })

  test("fifty at once while modes change: each once, or not at all", async () => {
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
    const registrations = await Promise.all(registering)
    isOver = true
    await changing
    await pair.close()
    const told = writtenOnce(pair, registrations)
    if (process.env.FIGURES) console.log(told)
  })
})

describe("recovery", () => {
  test.concurrent.each(["refusing", "failing", "slow", "drifting"] as const)(
    "people %s, then ok: the primary serves again",
    async (mode) => {
      const pair = await startPair()
      const { id } = (await pair.register("ada@x.io")).body
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
