import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { ada, freshFolder, freshWorld, get, post } from "./fixture.ts"
import { startWorld } from "./world.ts"

describe("people", () => {
  test("people: good body → 201, record with strings for everything, on disk before the answer", async () => {
    const folder = await freshFolder()
    const { urls } = await freshWorld({ folder })
    const reply = await post(`${urls.people}/v2/people`, ada)
    expect(reply).toMatchObject({ status: 201, body: { person_no: "1001", ...ada } })
    expect(JSON.parse(await readFile(join(folder, "people.json"), "utf8"))).toEqual([reply.body])
    expect(await readdir(folder)).toEqual(["people.json"])
  })

  test("people: e-mail already there in other case → 409 DUP_EMAIL", async () => {
    const { urls } = await freshWorld()
    await post(`${urls.people}/v2/people`, ada)
    const reply = await post(`${urls.people}/v2/people`, { ...ada, e_mail: "ADA@x.io" })
    expect(reply).toMatchObject({ status: 409, body: { err_cd: "DUP_EMAIL", err_txt: expect.any(String) } })
  })

  test("people: same e-mail twenty times at once → one 201, nineteen 409", async () => {
    const { urls, records } = await freshWorld()
    const replies = await Promise.all(Array.from({ length: 20 }, () => post(`${urls.people}/v2/people`, ada)))
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1)
    expect(replies.filter((reply) => reply.status === 409)).toHaveLength(19)
    expect(records()).toHaveLength(1)
  })

  test("people: same idempotency key, other e-mail → a second record", async () => {
    const { urls, records } = await freshWorld()
    const headers = { authorization: "Bearer demo-people-token", "idempotency-key": "k1" }
    for (const e_mail of ["a@x.io", "b@x.io"])
      await fetch(`${urls.people}/v2/people`, { method: "POST", headers, body: JSON.stringify({ ...ada, e_mail }) })
    expect(records().map((record) => record.person_no)).toEqual(["1001", "1002"])
  })

  test.each([
    ["full_nm", " "],
    ["e_mail", "ada"],
    ["lvl_cd", 2],
    ["lvl_cd", "3"],
    ["active_yn", "y"],
    ["reg_dt", "2026-11-22"],
    ["reg_dt", "31/02/2026"],
    ["reg_dt", undefined],
  ])("people: %s is %j → 422 BAD_FIELD that names it", async (field, value) => {
    const { urls, records } = await freshWorld()
    const reply = await post(`${urls.people}/v2/people`, { ...ada, [field]: value })
    expect(reply).toMatchObject({ status: 422, body: { err_cd: "BAD_FIELD", err_txt: expect.stringContaining(field) } })
    expect(records()).toEqual([])
  })

  test.each(["", "{", "[]", "null"])("people: body %j → 422 BAD_FIELD", async (body) => {
    const { urls } = await freshWorld()
    expect(await post(`${urls.people}/v2/people`, body)).toMatchObject({ status: 422, body: { err_cd: "BAD_FIELD" } })
  })

  test("people: body above a megabyte → 413", async () => {
    const { urls } = await freshWorld()
    expect(await post(`${urls.people}/v2/people`, "x".repeat(1_000_001))).toMatchObject({ status: 413 })
  })

  test("people: person_no → its record, or 404 NO_SUCH_PERSON", async () => {
    const { urls } = await freshWorld()
    await post(`${urls.people}/v2/people`, ada)
    expect(await get(`${urls.people}/v2/people/1001`)).toMatchObject({ status: 200, body: { person_no: "1001", ...ada } })
    expect(await get(`${urls.people}/v2/people/9`)).toMatchObject({ status: 404, body: { err_cd: "NO_SUCH_PERSON" } })
  })

  test("people: page 2 of size 2 of three → the third, total as a string", async () => {
    const { urls } = await freshWorld()
    for (const e_mail of ["a@x.io", "b@x.io", "c@x.io"]) await post(`${urls.people}/v2/people`, { ...ada, e_mail })
    const { body } = await get(`${urls.people}/v2/people?pg=2&pg_sz=2`)
    expect(body).toEqual({ rows: [{ ...ada, person_no: "1003", e_mail: "c@x.io" }], total_cnt: "3", pg: "2" })
    expect((await get(`${urls.people}/v2/people`)).body.rows).toHaveLength(3)
    expect(await get(`${urls.people}/v2/people?pg=0`)).toMatchObject({ status: 422 })
  })

  test("people: asked for an address → its record alone, with the remark that came with it", async () => {
    const { urls } = await freshWorld()
    await post(`${urls.people}/v2/people`, { ...ada, e_mail: "a@x.io" })
    await post(`${urls.people}/v2/people`, { ...ada, e_mail: "b@x.io", remark: "from the fair" })
    const { body } = await get(`${urls.people}/v2/people?e_mail=b@x.io`)
    expect(body).toEqual({ rows: [{ ...ada, person_no: "1002", e_mail: "b@x.io", remark: "from the fair" }], total_cnt: "1", pg: "1" })
    expect((await get(`${urls.people}/v2/people?e_mail=c@x.io`)).body).toMatchObject({ rows: [], total_cnt: "0" })
  })

  test("people: no or wrong token → 401 everywhere but /ping", async () => {
    const { urls, records } = await freshWorld({ peopleToken: "secret" })
    expect(await post(`${urls.people}/v2/people`, ada, "wrong")).toMatchObject({ status: 401 })
    expect((await fetch(`${urls.people}/v2/people`)).status).toBe(401)
    expect((await fetch(`${urls.people}/nothing`)).status).toBe(401)
    expect(await get(`${urls.people}/ping`, "")).toMatchObject({ status: 200, body: { st: "UP" } })
    expect(records()).toEqual([])
  })

  test("people: started again on the same folder → same records, next number", async () => {
    const folder = await freshFolder()
    const first = await freshWorld({ folder })
    await post(`${first.urls.people}/v2/people`, ada)
    await first.close()
    const second = await freshWorld({ folder })
    expect(second.records()).toEqual([{ person_no: "1001", ...ada }])
    expect((await post(`${second.urls.people}/v2/people`, { ...ada, e_mail: "b@x.io" })).body.person_no).toBe("1002")
  })

  test("people: unreadable people.json → refuses to start, names the file", async () => {
    const folder = await freshFolder()
    await writeFile(join(folder, "people.json"), "{")
    await expect(startWorld({ folder })).rejects.toThrow("people.json cannot be read")
  })
})

describe("replica", () => {
  test("replica: registered at one → found at the other under the same id", async () => {
    const { urls } = await freshWorld()
    const { body } = await post(`${urls.replica}/v2/people`, ada)
    expect((await get(`${urls.people}/v2/people/${body.person_no}`)).body).toEqual(body)
    expect(await post(`${urls.people}/v2/people`, ada)).toMatchObject({ status: 409 })
  })
})

describe("control", () => {
  test("control: people page → records as held, arrivals by method and route, modes", async () => {
    const { urls } = await freshWorld()
    await post(`${urls.people}/v2/people`, ada)
    await get(`${urls.people}/v2/people/1001`)
    await get(`${urls.people}/v2/people/1002`, "wrong")
    await get(`${urls.people}/elsewhere`)
    await post(`${urls.control}/_demo/fail`, { service: "replica", mode: "drifting" })
    expect((await get(`${urls.control}/_demo/people`)).body).toEqual({
      records: [{ person_no: "1001", ...ada }],
      arrivals: {
        people: { "POST /v2/people": 1, "GET /v2/people/{person_no}": 2, "GET (no such route)": 1 },
        replica: {},
        scoring: {},
      },
      modes: { people: "ok", replica: "drifting", scoring: "ok" },
    })
  })

  test("control: good mode → 200 with one sentence as note", async () => {
    const { urls } = await freshWorld()
    const { status, body } = await post(`${urls.control}/_demo/fail`, { service: "scoring", mode: "slow" })
    expect({ status, ...body }).toEqual({
      status: 200,
      service: "scoring",
      mode: "slow",
      note: expect.stringMatching(/^The scoring .*\.$/),
    })
  })

  test.each([
    [{ service: "mail", mode: "ok" }, "service must be one of: people, replica, scoring."],
    [{ service: "control", mode: "ok" }, "service must be one of: people, replica, scoring."],
    [{ service: "people", mode: "broken" }, "mode must be one of: ok, slow, failing, refusing, drifting."],
    ["nonsense", "The body must be a JSON object with service and mode."],
  ])("control: %j → 400 that names the field and the allowed values", async (body, error) => {
    const { urls } = await freshWorld()
    expect(await post(`${urls.control}/_demo/fail`, body)).toMatchObject({ status: 400, body: { error } })
  })

  test("world: a port already taken → rejects and leaves nothing listening", async () => {
    const { urls } = await freshWorld()
    const free = await freshWorld()
    await free.close()
    const ports = { people: Number(new URL(free.urls.people).port), control: Number(new URL(urls.control).port) }
    await expect(startWorld({ folder: await freshFolder(), ports })).rejects.toThrow("EADDRINUSE")
    await expect(get(`${free.urls.people}/ping`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } })
  })
})
