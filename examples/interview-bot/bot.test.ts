// The real `main.ts` as `npm start` runs it: its own process, its own world, real HTTP.
import { execFile } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { type Bot, freePort, laterAttempt, spawnBot, startBot } from "./bot-process.ts"
import { freshFolder, type Reply } from "./fixture.ts"

const STOP_MS_MAX = 10_000
const ADA = { name: "Ada Lovelace", email: "Ada@Example.org", level: "senior" }
const ANSWER = "I would add an index because the query scanned 2,000,000 rows, for example."

/** Of one test; killed with it, whatever becomes of it. Its world follows it. */
async function ownBot(env: Readonly<Record<string, string>> = {}): Promise<Bot> {
  const bot = await startBot({ TRESTLE_DATA: await freshFolder(), ...env })
  onTestFinished(() => void bot.child.kill("SIGKILL"))
  return bot
}

async function isGone(url: string, withinMs: number): Promise<boolean> {
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(20)) {
    if (
      await fetch(url).then(
        () => false,
        () => true,
      )
    )
      return true
  }
  return false
}

async function register(bot: Bot, candidate: object = ADA): Promise<{ id: string; token: string }> {
  const reply = await bot.call("POST /candidates", { body: candidate })
  expect(reply.status).toBe(201)
  return reply.body
}

function answer(bot: Bot, { id, token }: { id: string; token: string }, questionId = "senior-slow-query"): Promise<Reply> {
  return bot.call("POST /answers", { credential: token, body: { candidateId: id, questionId, text: ANSWER } })
}

describe("npm start", () => {
  let folder: string
  let bot: Bot
  let ada: { id: string; token: string }
  let bob: { id: string; token: string }
  let given: Reply

  beforeAll(async () => {
    folder = await freshFolder()
    bot = await startBot({ TRESTLE_DATA: folder })
    ada = await register(bot)
    bob = await register(bot, { name: "Bob", email: "bob@example.org", level: "junior" })
    given = await answer(bot, ada)
  })
  afterAll(() => bot?.stop())

  test("the command of its banner: looks at this run, and says where its variables come from; they are gone with it", async () => {
    const data = await freshFolder()
    const fresh = await ownBot({ TRESTLE_DATA: data })
    const file = join(data, "demo.env")
    const command = /(\S+ npm run trestle --) jobs list/.exec(fresh.said())![1]!
    const looked = (): Promise<string> => {
      const doctor = promisify(execFile)("sh", ["-c", `${command} doctor people`], { cwd: join(import.meta.dirname, "..", "..") })
      return doctor.then(({ stdout }) => stdout).catch(({ stdout }) => stdout)
    }
    expect(await looked()).toContain("interview-bot: 1 service, 1 well, 0 failing")
    await fresh.call("POST /_demo/fail", { body: { service: "people", mode: "refusing" } })
    const said = await looked()
    expect(said).toContain("nothing listens at 127.0.0.1")
    expect(said).toMatch(/Start the service, or correct the address: PEOPLE_URL=\.\.\. in \S+\/demo\.env/)
    await fresh.stop()
    expect(existsSync(file)).toBe(false)
  })

  test("recruiter key of the banner: works with the first request", async () => {
    const fresh = await ownBot()
    expect(await fresh.call("GET /candidates", { credential: fresh.key })).toMatchObject({ status: 200 })
  })

  test("candidate: reads its own record back", async () => {
    const reply = await bot.call(`GET /candidates/${ada.id}`, { credential: ada.token })
    const today = expect.stringMatching(/^\d{4}-\d\d-\d\d$/)
    expect(reply.body).toEqual({ id: ada.id, name: ADA.name, email: "ada@example.org", level: "senior", active: true, registeredOn: today })
    expect(reply.status).toBe(200)
  })

  test("candidate: answers, and reads the answer back with its score", async () => {
    const asked = await bot.call("GET /questions?level=senior&sort=position", { credential: ada.token })
    expect(asked.body.items).toHaveLength(8)
    expect(given).toMatchObject({
      status: 201,
      body: { candidateId: ada.id, question: asked.body.items[4].text, text: ANSWER, score: null },
    })
    expect(await answer(bot, ada)).toMatchObject({ status: 409, body: { code: "ALREADY_ANSWERED" } })
    const path = `/answers/${given.body.id}`
    expect(await bot.call(`GET ${path}`, { credential: ada.token })).toMatchObject({ status: 200, body: given.body })
    expect(await bot.call(`POST ${path}/score`, { credential: ada.token })).toMatchObject({ status: 403 })
  })

  test("stranger: 404 for record and answer, as for one that is not there", async () => {
    for (const path of [`/candidates/${ada.id}`, `/answers/${given.body.id}`]) {
      const foreign = await bot.call(`GET ${path}`, { credential: bob.token })
      const missing = await bot.call(`GET ${path.replace(/\d{4}$/, "9999")}`, { credential: bob.token })
      expect(foreign).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } })
      expect({ ...missing.body, trace: "" }).toEqual({ ...foreign.body, trace: "" })
    }
    expect(await answer(bot, { id: ada.id, token: bob.token })).toMatchObject({ status: 404 })
  })

  test("without a key: 401 everywhere but the sign-up", async () => {
    const body = { candidateId: ada.id, questionId: "senior-payment", text: ANSWER }
    const answerPath = `/answers/${given.body.id}`
    const closed: [string, object?][] = [
      ["GET /candidates"],
      [`GET /candidates/${ada.id}`],
      ["GET /questions?level=senior"],
      [`GET /answers?candidateId=${ada.id}`],
      [`GET /answers/tally?candidateIds=${ada.id}`],
      ["POST /answers", body],
      [`GET ${answerPath}`],
      [`POST ${answerPath}/score`],
    ]
    for (const [route, body] of closed) {
      expect(await bot.call(route, { body }), route).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } })
      expect(await bot.call(route, { body, credential: "ibt_guessed" }), route).toMatchObject({ status: 401 })
    }
  })

  test("recruiter: lists everybody, reads an answer and scores it", async () => {
    const listed = await bot.call("GET /candidates?page=1", { credential: bot.key })
    expect(listed.body).toMatchObject({ total: 2, candidates: [{ id: ada.id }, { id: bob.id }] })
    expect(await bot.call(`GET /answers/${given.body.id}`, { credential: bot.key })).toMatchObject({ status: 200 })
    const scored = await bot.call(`POST /answers/${given.body.id}/score`, { credential: bot.key })
    expect(scored).toMatchObject({ status: 200, body: { score: 5, why: "placeholder: every answer scores 5" } })
    expect(await bot.call("GET /candidates", { credential: ada.token })).toMatchObject({ status: 403 })
  })

  test("people service: keeps the record under its own names", async () => {
    const { body } = await bot.call("GET /_demo/people")
    const [record] = body.records
    expect(record).toEqual({
      person_no: ada.id,
      full_nm: "Ada Lovelace",
      e_mail: "ada@example.org",
      lvl_cd: "2",
      active_yn: "Y",
      remark: expect.stringMatching(/^registration 0\.\d+$/),
      reg_dt: expect.stringMatching(/^(0[1-9]|[12]\d|3[01])\/(0[1-9]|1[0-2])\/\d{4}$/),
    })
  })

  test("e-mail that is registered: 409 EMAIL_TAKEN, and no token", async () => {
    const { status, body, text } = await bot.call("POST /candidates", { body: { ...ADA, email: "ADA@example.ORG" } })
    expect({ status, code: body.code }).toEqual({ status: 409, code: "EMAIL_TAKEN" })
    expect(text).not.toContain("ibt_")
  })

  test("status: all wired, but for the placeholder that says what it waits for", () => {
    expect(bot.said()).toContain("20 wired, 2 placeholder")
    expect(bot.said()).toMatch(/placeholder\s+answers\.score: waiting for the scoring model, INT-42: set SCORING_URL and SCORING_KEY/)
  })

  test("a taken port: one sentence, and the bot that has it keeps its key", async () => {
    const { child, said } = spawnBot({ PORT: new URL(bot.url).port, TRESTLE_DATA: folder })
    expect((await once(child, "close"))[0]).toBe(3)
    expect(said()).toMatch(/^Port \d+ is taken by another program\. Fix: PORT=\d+ npm start\n$/)
    await sleep(1_100) // a running bot looks at its keys once a second
    expect(await bot.call("GET /candidates", { credential: bot.key })).toMatchObject({ status: 200 })
  })

  test("SIGTERM: ends with 0 in time, the world with it; the next run has answers, tokens and people", async () => {
    const stopped = await bot.stop()
    expect(stopped.code).toBe(0)
    expect(stopped.ms).toBeLessThan(STOP_MS_MAX)
    expect(await isGone(bot.worldUrl, 100)).toBe(true)

    const old = bot
    bot = await startBot({ TRESTLE_DATA: folder })
    const credential = ada.token
    expect(await bot.call(`GET /answers/${given.body.id}`, { credential })).toMatchObject({ status: 200, body: { text: ANSWER } })
    expect(await bot.call(`GET /candidates/${ada.id}`, { credential })).toMatchObject({ status: 200, body: { name: ADA.name } })
    expect(await bot.call("GET /candidates", { credential: old.key })).toMatchObject({ status: 401 })

    const eve = await register(bot, { name: "Eve", email: "eve@example.org", level: "junior" })
    await bot.stop()
    bot = await startBot({ TRESTLE_DATA: folder })
    expect(await bot.call(`GET /candidates/${eve.id}`, { credential: eve.token })).toMatchObject({ status: 200 })
  })
})

describe("the end", () => {
  test.each(["SIGINT", "SIGKILL"] as const)("%s: the world ends too", async (signal) => {
    const bot = await ownBot()
    expect((await bot.stop(signal)).code).toBe(signal === "SIGKILL" ? null : 0)
    expect(await isGone(bot.worldUrl, 3_000)).toBe(true)
  })

  test.each([
    [{ PORT: "http" }, /^PORT must be a port from 0 to 65535, not http\.\n$/],
    [{ PEOPLE_PORT: "http" }, /^The demo world cannot start: PEOPLE_PORT .*\nThe interview bot cannot start without its demo world\.\n$/],
    [{ SCORING_URL: "http://127.0.0.1:9" }, /^[^\n]*cannot start[^\n]*SCORING_KEY[^\n]*\n$/],
    [{ SCORING_URL: "model", SCORING_KEY: "k" }, /^[^\n]*cannot start[^\n]*SCORING_URL|the address of scoring is not an http/],
  ])("a start that cannot be, %j: ends with 3 and a sentence", async (env, sentence) => {
    const { child, said } = spawnBot({ PORT: "0", TRESTLE_DATA: await freshFolder(), ...env })
    expect((await once(child, "close"))[0]).toBe(3)
    expect(said()).toMatch(sentence)
    expect(said()).not.toContain("    at ")
  })
})

describe("a registration that nobody takes", () => {
  test("202 with its address; the bot is killed, and the next run makes the record, once", async () => {
    const env = { TRESTLE_DATA: await freshFolder() }
    const first = await ownBot(env)
    for (const service of ["people", "replica"]) await first.call("POST /_demo/fail", { body: { service, mode: "refusing" } })
    const pending = await first.call("POST /candidates", { body: ADA })
    expect(pending).toMatchObject({ status: 202, body: { code: "PENDING" } })
    const route = `GET ${pending.headers.get("location")}`
    expect(await first.call(route)).toMatchObject({ status: 200, body: { state: expect.stringMatching(/^(waiting|running)$/) } })
    await laterAttempt(first)
    await first.stop("SIGKILL")

    const second = await ownBot(env)
    let report: Reply
    do report = await second.call(route)
    while (report.body.state !== "done" && (await sleep(100, true)))
    const { id, token } = report.body.answer
    expect(await second.call(`GET /candidates/${id}`, { credential: token })).toMatchObject({ status: 200, body: { name: ADA.name } })
    expect((await second.call("GET /_demo/people")).body.records).toHaveLength(1)
  }, 90_000)
})

/** When it is there: nobody asks for it but the message that the answer has sent. */
async function scoreOf(bot: Bot, credential: string, answerId: string): Promise<{ score: number; why: string }> {
  for (;;) {
    const { score } = (await bot.call(`GET /answers/${answerId}`, { credential })).body
    if (score) return score
    await sleep(100)
  }
}

describe("scoring", () => {
  test("SCORING_URL=demo: the real service scores as soon as somebody answers, through the 503 of every 7th request; the status says wired", async () => {
    // Keys of this shell are not the demo's, and must not get in its way.
    const bot = await ownBot({ SCORING_URL: "demo", SCORING_KEY: "of-a-real-model", PEOPLE_TOKEN: "of-something-else" })
    expect(bot.said()).toContain("25 wired, 0 placeholder")
    const ada = await register(bot)
    const { items: questions } = (await bot.call("GET /questions?level=senior", { credential: ada.token })).body
    const scored = await Promise.all(
      questions.map(async (question: { id: string }) => {
        const { body } = await answer(bot, ada, question.id)
        return scoreOf(bot, ada.token, body.id)
      }),
    )
    for (const score of scored) expect(score.why).toMatch(/^Credited: .*reasoning \(because\)/)
    expect((await bot.call(`GET /answers/tally?candidateIds=${ada.id}`, { credential: bot.key })).body).toEqual([
      { candidateId: ada.id, answered: 8, scored: 8 },
    ])
    const { arrivals } = (await bot.call("GET /_demo/people")).body
    expect(arrivals.scoring).toEqual({ "POST /v1/chat/completions": 9 })

    await bot.call("POST /_demo/fail", { body: { service: "scoring", mode: "drifting" } })
    const [{ id }] = (await bot.call(`GET /answers?candidateId=${ada.id}`, { credential: ada.token })).body
    const drifted = await bot.call(`POST /answers/${id}/score`, { credential: bot.key })
    expect(drifted.status).toBeGreaterThanOrEqual(500)
    expect(drifted.text).not.toContain("Thank you")
  })

  test("the model is out and the bot is killed: the next run scores what was answered", async () => {
    const env = { SCORING_URL: "demo", TRESTLE_DATA: await freshFolder() }
    const first = await ownBot(env)
    const ada = await register(first)
    await first.call("POST /_demo/fail", { body: { service: "scoring", mode: "refusing" } })
    const { body } = await answer(first, ada)
    await first.stop("SIGKILL")
    const second = await ownBot(env)
    expect((await scoreOf(second, ada.token, body.id)).score).toBeGreaterThan(0)
  }, 90_000)

  test("a dead SCORING_URL: a typed problem, and the answer stays without a score", async () => {
    const bot = await ownBot({ SCORING_URL: `http://127.0.0.1:${await freePort()}`, SCORING_KEY: "k" })
    const ada = await register(bot)
    const { body } = await answer(bot, ada)
    const reply = await bot.call(`POST /answers/${body.id}/score`, { credential: bot.key })
    expect(reply).toMatchObject({
      status: 503,
      type: expect.stringContaining("application/problem+json"),
      body: { code: "UNAVAILABLE", outcome: "refused" },
    })
    expect(reply.text).not.toContain("127.0.0.1")
    expect((await bot.call(`GET /answers/${body.id}`, { credential: ada.token })).body.score).toBeNull()
  })
})
