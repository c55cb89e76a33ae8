// What the bot promises by its declarations, and how it speaks to the people service. No network, no world, no waiting.
import { readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Principal } from "trestle"
import { contractCases, mappingCases, testApp } from "trestle/testing"
import { describe, expect, test, vi } from "vitest"
import { freshFolder } from "./fixture.ts"
import { person, Registration, registrationOf } from "./people.ts"

delete process.env.SCORING_URL
process.env.TRESTLE_DATA = await freshFolder()
const { app } = await import("./app.ts")
const { people, peopleReplica } = await import("./services.ts")
const { issueToken } = await import("./tokens.ts")

const recruiter: Principal = { id: "rita", kind: "user", roles: ["recruiter"] }
const candidate = (id: string): Principal => ({ id, kind: "user", roles: ["candidate"] })
const record = {
  person_no: "1001",
  full_nm: "Ada Lovelace",
  e_mail: "ada@x.io",
  lvl_cd: "2",
  active_yn: "Y",
  reg_dt: "02/01/2026",
} as const
const ada = { id: "1001", name: "Ada Lovelace", email: "ada@x.io", level: "senior", active: true, registeredOn: "2026-01-02" }
type TestApp = Awaited<ReturnType<typeof testApp<(typeof app)["ops"]>>>
const newAda = { name: "Ada Lovelace", email: "ada@x.io", level: "senior" } as const

describe("contract", () => {
  for (const { name, run } of contractCases(app)) test(name, run)
})

describe("people.ts", () => {
  const plain = { name: "Ada", email: "a@x.io", level: "junior", reference: "registration 1" } as const
  const row = { full_nm: "Ada", e_mail: "a@x.io", lvl_cd: "1", active_yn: "Y", reg_dt: "02/01/2026" }
  const noon = new Date("2026-01-02T12:00:00Z")

  test.each([
    ["senior", { level: "senior" }, noon, { lvl_cd: "2" }],
    ["junior", {}, noon, { lvl_cd: "1" }],
    ["e-mail in capitals", { email: "A@X.IO" }, noon, { e_mail: "a@x.io" }],
    ["last second of a year, UTC", {}, new Date("2025-12-31T23:59:59.999Z"), { reg_dt: "31/12/2025" }],
    ["leap day", {}, new Date("2028-02-29T00:00:00Z"), { reg_dt: "29/02/2028" }],
    ["name in other letters", { name: "Ωmega O'Neill 李" }, noon, { full_nm: "Ωmega O'Neill 李" }],
    ["name that looks like a number", { name: "007" }, noon, { full_nm: "007" }],
  ] as const)("ours to theirs, %s", (_, ours, today, theirs) => {
    expect(registrationOf(Registration.parse({ ...plain, ...ours }), today)).toEqual({ ...row, remark: "registration 1", ...theirs })
  })

  const theirs = { person_no: "7", ...row }
  const ours = { id: "7", name: "Ada", email: "a@x.io", level: "junior", active: true, registeredOn: "2026-01-02" } as const
  const repair = "repair" as const
  const cases = mappingCases(person, [
    { name: "day first", theirs, ours },
    { name: "a day that cannot be a month", theirs: { ...theirs, reg_dt: "31/12/1999" }, ours: { ...ours, registeredOn: "1999-12-31" } },
    { name: "not active", theirs: { ...theirs, active_yn: "N" }, ours: { ...ours, active: false } },
    { name: "senior", theirs: { ...theirs, lvl_cd: "2" }, ours: { ...ours, level: "senior" } },
    { name: "number with leading zeros", theirs: { ...theirs, person_no: "000042" }, ours: { ...ours, id: "000042" } },
    {
      name: "number beyond what a float holds",
      theirs: { ...theirs, person_no: "9007199254740993" },
      ours: { ...ours, id: "9007199254740993" },
    },
    { name: "fields that nobody asked for", theirs: { ...theirs, ssn: "123", __v: 3 }, ours },
    { name: "empty name", theirs: { ...theirs, full_nm: "" }, refused: "full_nm → name" },
    { name: "number as a number", theirs: { ...theirs, person_no: 7 }, refused: "person_no → id" },
    {
      name: "number as a number, repaired",
      theirs: { ...theirs, person_no: 7 },
      drift: repair,
      ours,
      repaired: ["person_no → id: a number instead of a text"],
    },
    {
      name: "number with letters",
      theirs: { ...theirs, person_no: "7a" },
      drift: repair,
      refused: "person_no → id: is no number of a person",
    },
    { name: "level that nobody knows", theirs: { ...theirs, lvl_cd: "3" }, drift: repair, refused: "lvl_cd → level: is no code of 1, 2" },
    { name: "level as a number", theirs: { ...theirs, lvl_cd: 2 }, refused: "lvl_cd → level" },
    { name: "flag in small letters", theirs: { ...theirs, active_yn: "y" }, refused: "active_yn → active" },
    {
      name: "flag as a word",
      theirs: { ...theirs, active_yn: "yes" },
      drift: repair,
      ours,
      repaired: ["active_yn → active: in another form of yes and no"],
    },
    { name: "year first", theirs: { ...theirs, reg_dt: "2026-01-02" }, drift: repair, refused: "reg_dt → registeredOn" },
    {
      name: "older date",
      theirs: { ...theirs, reg_dt: "2.1.2026" },
      drift: repair,
      ours,
      repaired: ["reg_dt → registeredOn: in the format d.M.yyyy"],
    },
    { name: "no date", theirs: { ...theirs, reg_dt: null }, drift: repair, refused: "reg_dt → registeredOn: is null" },
    {
      name: "a day that does not exist",
      theirs: { ...theirs, reg_dt: "31/02/2026" },
      drift: repair,
      refused: "is a day or a time that does not exist",
    },
    { name: "name left out", theirs: { ...theirs, full_nm: undefined }, drift: repair, refused: "full_nm → name: is missing" },
  ])
  test.each(cases.map(({ name, run }) => [name, run] as const))("theirs to ours, %s", (_, run) => run())
})

describe("ownership", () => {
  test("a record: its candidate and recruiters, nobody else; the people service is not asked for a stranger", async () => {
    await using t = await testApp(app)
    t.wire(people).on("GET /v2/people/{id}").reply(200, record)
    expect(await t.as(candidate("1001")).candidates.show({ id: "1001" })).toEqual(ada)
    expect(await t.as(recruiter).candidates.show({ id: "1001" })).toEqual(ada)
    expect(t.sent(people)).toHaveLength(2)
    for (const id of ["100", "10010", "01001", "1002"]) {
      expect(await t.as(candidate(id)).candidates.show.safe({ id: "1001" }), id).toMatchObject({ ok: false, code: "NOT_FOUND" })
    }
    expect(t.sent(people)).toHaveLength(2)
    expect((await t.http("GET /candidates/1001")).status).toBe(401)
  })

  test("an API key that has a candidate's id as its name: 404", async () => {
    await using t = await testApp(app)
    const { key } = await t.keys.create({ name: "1001", roles: [], permissions: [], expiresInMs: null })
    expect((await t.http("GET /candidates/1001", { headers: { authorization: `Bearer ${key}` } })).status).toBe(404)
  })

  test("an answer: given for oneself only, even while the people service is out", async () => {
    await using t = await testApp(app)
    t.wire(people).down()
    t.wire(peopleReplica).down()
    const answer = { candidateId: "1001", questionId: "senior-outbox", text: "Both in one transaction." }
    expect(await t.as(candidate("1002")).answers.give.safe(answer)).toMatchObject({ code: "NOT_FOUND" })
    expect(await t.as(recruiter).answers.give.safe(answer)).toMatchObject({ code: "NOT_FOUND" })
    const { id } = await t.as(candidate("1001")).answers.give(answer)
    expect(await t.as(candidate("1001")).answers.show({ id })).toMatchObject({ ...answer, topic: "Failure", score: null })
    expect(await t.as(recruiter).answers.show({ id })).toMatchObject(answer)
    expect(await t.as(candidate("1002")).answers.show.safe({ id })).toMatchObject({ code: "NOT_FOUND" })
    expect(await t.as(candidate("1001")).answers.score.safe({ id })).toMatchObject({ code: "FORBIDDEN" })
  })

  test("the answers of a candidate: to the candidate and to recruiters", async () => {
    await using t = await testApp(app)
    await t.as(candidate("1001")).answers.give({ candidateId: "1001", questionId: "senior-outbox", text: "Later." })
    await t.as(candidate("1001")).answers.give({ candidateId: "1001", questionId: "senior-boundary", text: "First." })
    const texts = async (who: Principal) => (await t.as(who).answers.list({ candidateId: "1001" })).map(({ text }) => text)
    expect(await texts(candidate("1001"))).toEqual(["First.", "Later."])
    expect(await texts(recruiter)).toEqual(["First.", "Later."])
    expect(await t.as(candidate("1002")).answers.list.safe({ candidateId: "1001" })).toMatchObject({ code: "NOT_FOUND" })
    expect(await t.as(candidate("1001")).answers.tally.safe({ candidateIds: ["1001"] })).toMatchObject({ code: "FORBIDDEN" })
    expect(await t.as(recruiter).answers.tally({ candidateIds: ["1002", "1001"] })).toEqual([
      { candidateId: "1001", answered: 2, scored: 0 },
    ])
  })
})

describe("questions and answers", () => {
  test.each(["junior", "senior"] as const)("%s: eight questions in their order, to whoever is signed in", async (level) => {
    await using t = await testApp(app)
    const { items } = await t.as(candidate("1001")).questions.list({ level, sort: "position" })
    expect(items.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(new Set(items.map(({ topic }) => topic))).toEqual(new Set(["TypeScript", "HTTP", "SQL", "Failure"]))
    expect((await t.http(`GET /questions?level=${level}`)).status).toBe(401)
  })

  test("the questions: tended by recruiters, only read by candidates; one with answers stays", async () => {
    await using t = await testApp(app)
    const ninth = { id: "junior-ninth", level: "junior", position: 9, topic: "SQL", text: "What does `null = null` say?" } as const
    expect(await t.as(candidate("1001")).questions.create.safe(ninth)).toMatchObject({ code: "FORBIDDEN" })
    expect(await t.as(recruiter).questions.create(ninth)).toEqual(ninth)
    expect(await t.as(recruiter).questions.create.safe({ ...ninth, id: "other" })).toMatchObject({ code: "CONFLICT" })
    expect(await t.as(recruiter).questions.update({ id: ninth.id, topic: "Nothing" })).toEqual({ ...ninth, topic: "Nothing" })
    await t.as(candidate("1001")).answers.give({ candidateId: "1001", questionId: ninth.id, text: "Nothing, too." })
    expect(await t.as(recruiter).questions.remove.safe({ id: ninth.id })).toMatchObject({ code: "CONFLICT" })
    await t.as(recruiter).questions.remove({ id: "junior-swallowed" })
    expect((await t.as(recruiter).questions.list({ level: "junior" })).items).toHaveLength(8)
  })

  test("a question: answered once, whatever is tried", async () => {
    await using t = await testApp(app)
    const { answers } = t.as(candidate("1001"))
    const first = { candidateId: "1001", questionId: "junior-twice", text: "A key for the intent." }
    const tried = await Promise.all(["one", "two", "three"].map((text) => answers.give.safe({ ...first, text })))
    expect(tried.filter(({ ok }) => ok)).toHaveLength(1)
    expect(tried.filter((one) => !one.ok && one.code === "ALREADY_ANSWERED" && one.outcome === "answered")).toHaveLength(2)
    expect(await answers.list({ candidateId: "1001" })).toHaveLength(1)
    expect(await t.as(candidate("1002")).answers.give({ ...first, candidateId: "1002" })).toMatchObject({ candidateId: "1002" })
  })

  test("a question that nobody asks: NO_SUCH_QUESTION, nothing is kept", async () => {
    await using t = await testApp(app)
    const { answers } = t.as(candidate("1001"))
    const result = await answers.give.safe({ candidateId: "1001", questionId: "junior-nothing", text: "?" })
    expect(result).toMatchObject({ ok: false, code: "NO_SUCH_QUESTION" })
    expect(await answers.list({ candidateId: "1001" })).toEqual([])
  })

  test.each([
    ["nothing but space", " \n ", "Please write an answer first."],
    ["20,001 characters", "a".repeat(20_001), "At most 20,000 characters, please."],
  ])("an answer of %s: the field and the reason", async (_, text, message) => {
    await using t = await testApp(app)
    const result = await t.as(candidate("1001")).answers.give.safe({ candidateId: "1001", questionId: "junior-twice", text })
    expect(result).toMatchObject({ ok: false, code: "INVALID", issues: [{ path: "text", message }] })
  })
})

describe("tokens.ts", () => {
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

  test("a token: opens its own candidate only; with another id or another end it opens nothing", async () => {
    await using t = await testApp(app)
    t.wire(people).on("GET /v2/people/{id}").reply(200, record)
    const token = issueToken("1001")
    expect((await t.http("GET /candidates/1001", bearer(token))).status).toBe(200)
    expect((await t.http("GET /candidates/1002", bearer(token))).status).toBe(404)
    const proof = token.slice(token.lastIndexOf("_"))
    for (const forged of [`ibt_1002${proof}`, `${token}x`, token.slice(0, -1), "ibt_1001_", "ibt_", `ibt_1001_${"A".repeat(43)}`])
      expect((await t.http("GET /candidates/1001", bearer(forged))).status, forged).toBe(401)
  })

  test("its key: made once, readable for this user only; half a key proves nothing", async () => {
    const file = join(process.env.TRESTLE_DATA!, "candidate-token.key")
    issueToken("1")
    const bytes = await readFile(file)
    expect([bytes.length, (await stat(file)).mode & 0o777]).toEqual([32, 0o600])
    await writeFile(file, bytes.subarray(0, 7))
    vi.resetModules()
    const fresh = await import("./tokens.ts")
    expect(() => fresh.issueToken("1")).toThrow("is damaged")
    await writeFile(file, bytes)
    expect(fresh.issueToken("1")).toBe(issueToken("1"))
  })
})

describe("on the wire", () => {
  test("a record of the older register: repaired, and says so; one that nobody can be sure of: refused, at the replica too", async () => {
    await using t = await testApp(app)
    const older = { ...record, full_nm: "Ada Lovelace   ", lvl_cd: 2, active_yn: "yes", reg_dt: "2.1.2026" }
    t.wire(people).on("GET /v2/people/{id}").reply(200, older)
    const { value, meta } = await t.as(recruiter).candidates.show.detailed({ id: "1001" })
    expect(value).toEqual(ada)
    expect(meta.repaired).toMatchObject({ count: 4, fields: expect.arrayContaining(["reg_dt → registeredOn: in the format d.M.yyyy"]) })
    t.wire(people)
      .on("GET /v2/people/{id}")
      .reply(200, { ...older, lvl_cd: "X" })
    t.wire(peopleReplica)
      .on("GET /v2/people/{id}")
      .reply(200, { ...older, lvl_cd: "X" })
    expect(await t.as(recruiter).candidates.show.safe({ id: "1001" })).toMatchObject({ ok: false, code: "INTERNAL" })
    expect(t.calls().at(-1)!.error!.note).toContain("lvl_cd → level: is no code of 1, 2")
  })

  test("register: their names, their credential, no key that they would not know; the token opens the record", async () => {
    await using t = await testApp(app)
    t.wire(people).on("POST /v2/people").reply(201, record).wire(people).on("GET /v2/people/{id}").reply(200, record)
    const reply = await t.http("POST /candidates", { json: { ...newAda, name: "  Ada Lovelace ", email: "ADA@x.io" } })
    const { id, token } = (await reply.json()) as { id: string; token: string }
    expect({ status: reply.status, id }).toEqual({ status: 201, id: "1001" })

    const [sent] = t.sent(people)
    const reg_dt = expect.stringMatching(/^\d\d\/\d\d\/\d{4}$/)
    const remark = expect.stringMatching(/^registration 0\.\d+$/)
    expect(sent!.body).toEqual({ full_nm: "Ada Lovelace", e_mail: "ada@x.io", lvl_cd: "2", active_yn: "Y", reg_dt, remark })
    expect(sent!.headers.authorization).toBe("Bearer test-PEOPLE_TOKEN")
    expect(Object.keys(sent!.headers)).not.toContain("idempotency-key")
    expect((await t.http("GET /candidates/1001", { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    expect((await t.http("GET /candidates/1001", { headers: { authorization: `Bearer ${token}x` } })).status).toBe(401)
  })

  test("register, e-mail taken: EMAIL_TAKEN, no token, the replica is not asked", async () => {
    await using t = await testApp(app)
    t.wire(people).on("POST /v2/people").reply(409, { err_cd: "DUP_EMAIL" })
    const result = await t.as(candidate("7")).candidates.register.safe(newAda)
    expect(result).toMatchObject({ ok: false, code: "EMAIL_TAKEN", outcome: "answered" })
    expect(JSON.stringify(result)).not.toContain("ibt_")
    expect(t.sent(peopleReplica)).toEqual([])
  })

  test("register, people out: at the replica, and says so", async () => {
    await using t = await testApp(app)
    t.wire(people).down()
    t.wire(peopleReplica).on("POST /v2/people").reply(201, record)
    const { value, meta } = await t.as(candidate("7")).candidates.register.detailed(newAda)
    expect(value.id).toBe("1001")
    expect(meta).toMatchObject({ servedBy: "people-replica", attempts: 3, degraded: { why: expect.stringContaining("people") } })
  })

  describe("register, nobody answers", () => {
    type Asked = { readonly body?: unknown }
    /** A page of the people service that holds what the registration would have made there. */
    const pageWith = (asked: Asked | undefined, more: object = {}) => ({
      status: 200,
      body: { rows: asked ? [{ ...record, ...(asked.body as object), ...more }] : [], total_cnt: "1", pg: "1" },
    })
    const posts = (t: { sent(service: typeof people): readonly { method: string }[] }) =>
      t.sent(people).filter(({ method }) => method === "POST").length

    async function pendingOf(t: TestApp, how: "hangs" | "drops"): Promise<string> {
      t.wire(people).on("POST /v2/people")[how]({ times: 1 })
      const registering = t.as(candidate("7")).candidates.register.safe(newAda)
      await t.clock.advance("1s")
      const result = await registering
      expect(result).toMatchObject({ ok: false, code: "PENDING", outcome: "unknown", work: expect.any(String) })
      return (result as { work: string }).work
    }

    async function endOf(t: TestApp, work: string): Promise<unknown> {
      await t.clock.advance("1m")
      await t.drain()
      await t.clock.advance("1m")
      await t.drain()
      return t.work(work)
    }

    test.each(["hangs", "drops"] as const)("people %s, and have the record: looked up, never sent again", async (how) => {
      await using t = await testApp(app)
      const work = await pendingOf(t, how)
      t.wire(people)
        .on("GET /v2/people")
        .replies(() => pageWith(t.sent(people)[0]))
      expect(await endOf(t, work)).toMatchObject({ state: "done", answer: { id: "1001", token: issueToken("1001") } })
      expect(posts(t)).toBe(1)
      expect(t.sent(peopleReplica)).toEqual([])
    })

    test.each(["hangs", "drops"] as const)("people %s, and do not have it: looked up, and sent once more", async (how) => {
      await using t = await testApp(app)
      const work = await pendingOf(t, how)
      t.wire(people).on("GET /v2/people").reply(200, pageWith(undefined).body).wire(people).on("POST /v2/people").reply(201, record)
      expect(await endOf(t, work)).toMatchObject({ state: "done", answer: { id: "1001" } })
      expect(posts(t)).toBe(2)
      expect(t.sent(peopleReplica)).toEqual([])
    })

    test("the record of that address is somebody else's: EMAIL_TAKEN, and no token for it", async () => {
      await using t = await testApp(app)
      const work = await pendingOf(t, "drops")
      t.wire(people)
        .on("GET /v2/people")
        .replies(() => pageWith(t.sent(people)[0], { remark: "registration 0.25" }))
        .wire(people)
        .on("POST /v2/people")
        .reply(409, { err_cd: "DUP_EMAIL" })
      const end = await endOf(t, work)
      expect(end).toMatchObject({ state: "failed", problem: { code: "EMAIL_TAKEN", outcome: "answered" } })
      expect(JSON.stringify(end)).not.toContain("ibt_")
    })

    test("it arrives between the look and the second try, which is told that the address is taken: looked up again, and done", async () => {
      await using t = await testApp(app)
      const work = await pendingOf(t, "hangs")
      t.wire(people)
        .on("GET /v2/people")
        .reply(200, pageWith(undefined).body, { times: 1 })
        .wire(people)
        .on("GET /v2/people")
        .replies(() => pageWith(t.sent(people)[0]))
        .wire(people)
        .on("POST /v2/people")
        .reply(409, { err_cd: "DUP_EMAIL" })
      expect(await endOf(t, work)).toMatchObject({ state: "done", answer: { id: "1001" } })
      expect(posts(t)).toBe(2)
    })

    test.each([
      ["people", people],
      ["the replica", peopleReplica],
    ] as const)("both refuse: pending, and done when %s is back", async (_, back) => {
      await using t = await testApp(app)
      t.wire(people).down().wire(peopleReplica).down()
      const reply = await t.http("POST /candidates", { json: newAda })
      expect(reply.status).toBe(202)
      const { code, work } = (await reply.json()) as { code: string; work: string }
      expect({ code, location: reply.headers.get("location") }).toEqual({ code: "PENDING", location: `/work/${work}` })
      expect(await t.work(work)).toMatchObject({ state: "waiting", progress: { done: 0, step: "making your record" } })
      t.wire(back).up().wire(back).on("POST /v2/people").reply(201, record)
      expect(await endOf(t, work)).toMatchObject({ state: "done", answer: { id: "1001" } })
    })

    test("the same address once more meanwhile: waits its turn, and is told that the address is taken", async () => {
      await using t = await testApp(app)
      t.wire(people).down().wire(peopleReplica).down()
      const [first, second] = [await t.http("POST /candidates", { json: newAda }), await t.http("POST /candidates", { json: newAda })]
      const works = await Promise.all([first, second].map(async (reply) => ((await reply.json()) as { work: string }).work))
      let isTaken = false
      t.wire(people)
        .up()
        .wire(people)
        .on("POST /v2/people")
        .replies(() => {
          const reply = isTaken ? { status: 409, body: { err_cd: "DUP_EMAIL" } } : { status: 201, body: record }
          isTaken = true
          return reply
        })
      expect(await endOf(t, works[0]!)).toMatchObject({ state: "done" })
      expect(await endOf(t, works[1]!)).toMatchObject({ state: "failed", problem: { code: "EMAIL_TAKEN" } })
    })
  })

  test.each([
    ["401", 401, { err_cd: "NO_AUTH" }],
    ["422", 422, { err_cd: "BAD_FIELD", err_txt: "e_mail is secret-looking" }],
  ])("register, people say %s: INTERNAL, for it is our mistake; nothing of theirs is passed on", async (_, status, body) => {
    await using t = await testApp(app)
    t.wire(people).on("POST /v2/people").reply(status, body)
    const result = await t.as(candidate("7")).candidates.register.safe(newAda)
    expect(result).toMatchObject({ ok: false, code: "INTERNAL" })
    expect(JSON.stringify(result)).not.toMatch(/NO_AUTH|BAD_FIELD|e_mail/)
  })

  test("show, nobody has the number: NOT_FOUND, the replica is not asked", async () => {
    await using t = await testApp(app)
    t.wire(people).on("GET /v2/people/{id}").reply(404, { err_cd: "NO_SUCH_PERSON" })
    expect(await t.as(recruiter).candidates.show.safe({ id: "9" })).toMatchObject({ code: "NOT_FOUND" })
    expect(t.sent(people)).toHaveLength(1)
  })

  test("list: their page and size; their total, a text, is a number", async () => {
    await using t = await testApp(app)
    t.wire(people)
      .on("GET /v2/people")
      .reply(200, { rows: [record], total_cnt: "51", pg: "2" })
    expect(await t.as(recruiter).candidates.list({ page: 2 })).toEqual({ candidates: [ada], total: 51 })
    expect(t.sent(people)[0]!.query).toEqual({ pg: "2", pg_sz: "50" })
  })
})
