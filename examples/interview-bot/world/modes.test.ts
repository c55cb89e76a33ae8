import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test, vi } from "vitest"
import { ada, freshWorld, get, post } from "./fixture.ts"
import { modes, noteOf, services } from "./modes.ts"

test("slow: a registration → stored before the 5 seconds, answered after", async () => {
  const waited = Promise.withResolvers<number>()
  const release = Promise.withResolvers<void>()
  const wait = (ms: number) => {
    waited.resolve(ms)
    return release.promise
  }
  const { urls, fail, records } = await freshWorld({ wait })
  await fail("people", "slow")
  const reply = post(`${urls.people}/v2/people`, ada)
  expect(await waited.promise).toBe(5_000)
  expect(records()).toHaveLength(1)
  release.resolve()
  expect(await reply).toMatchObject({ status: 201, body: { person_no: "1001" } })
})

test("slow: the client hangs up → the wait ends in silence, arrival counted, record kept", async () => {
  const errors = vi.spyOn(console, "error")
  const ended = Promise.withResolvers<void>()
  const hangUp = new AbortController()
  const wait = (ms: number, signal: AbortSignal) => {
    hangUp.abort()
    return sleep(ms, undefined, { signal }).finally(() => ended.resolve())
  }
  const { urls, fail, records, arrivals } = await freshWorld({ wait })
  await fail("people", "slow")
  await expect(post(`${urls.people}/v2/people`, ada, undefined, hangUp.signal)).rejects.toThrow("abort")
  await ended.promise
  expect(records()).toHaveLength(1)
  expect(arrivals().people).toEqual({ "POST /v2/people": 1 })
  expect(errors).not.toHaveBeenCalled()
})

test("slow: the world closes → held answers are dropped, close resolves", async () => {
  const held = Promise.withResolvers<void>()
  const wait = (ms: number, signal: AbortSignal) => {
    held.resolve()
    return sleep(ms, undefined, { signal })
  }
  const { urls, fail, close } = await freshWorld({ wait })
  await fail("people", "slow")
  const reply = expect(get(`${urls.people}/ping`)).rejects.toThrow("fetch failed")
  await held.promise
  await close()
  await reply
  await close()
})

test("failing: a registration → 500 with garbage, yet stored", async () => {
  const { urls, fail, records } = await freshWorld()
  await fail("people", "failing")
  const reply = await post(`${urls.people}/v2/people`, ada)
  expect(reply).toMatchObject({ status: 500, body: undefined, text: expect.stringContaining("PersonDao.java:217") })
  expect(await get(`${urls.people}/ping`)).toMatchObject({ status: 500 })
  expect(records()).toEqual([{ person_no: "1001", ...ada }])
})

test("failing: people only → the replica answers", async () => {
  const { urls, fail } = await freshWorld()
  await fail("people", "failing")
  expect(await get(`${urls.replica}/ping`)).toMatchObject({ status: 200 })
})

test("refusing: then ok → connections refused, then the same port answers", async () => {
  const { urls, fail } = await freshWorld()
  await get(`${urls.people}/ping`)
  await fail("people", "refusing")
  await expect(get(`${urls.people}/ping`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } })
  await fail("people", "ok")
  expect(await get(`${urls.people}/ping`)).toMatchObject({ status: 200 })
})

test("refusing: an open connection without a request → destroyed", async () => {
  const { urls, fail } = await freshWorld()
  const socket = connect(Number(new URL(urls.people).port), "127.0.0.1").on("error", () => {})
  await new Promise((resolve) => socket.once("connect", resolve))
  const closed = new Promise((resolve) => socket.once("close", resolve))
  await get(`${urls.people}/ping`) // the server has accepted the first connection once it answers on a later one
  await fail("people", "refusing")
  await closed
})

test("refusing: twice, ok and slow asked for at once → the last one holds", async () => {
  const { urls, fail } = await freshWorld()
  await Promise.all((["refusing", "ok", "refusing", "refusing", "slow"] as const).map((mode) => fail("people", mode)))
  expect(await get(`${urls.people}/ping`)).toMatchObject({ status: 200 })
  expect((await get(`${urls.control}/_demo/people`)).body.modes.people).toBe("slow")
})

test("world: a mode asked for while closing → nothing listens again", async () => {
  const { urls, fail, close } = await freshWorld()
  await fail("people", "refusing")
  await Promise.all([close(), fail("people", "ok")])
  await expect(get(`${urls.people}/ping`)).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } })
})

test("drifting: people → same records in another shape, stored as before", async () => {
  const { urls, fail, records } = await freshWorld()
  await fail("people", "drifting")
  const drifted = { person_no: 1001, fullName: "Ada Lovelace", e_mail: "ada@x.io", lvl_cd: "2", active_yn: "Y", reg_dt: "2026-11-22" }
  expect(await post(`${urls.people}/v2/people`, ada)).toMatchObject({ status: 201, body: drifted })
  expect((await get(`${urls.people}/v2/people/1001`)).body).toEqual(drifted)
  expect((await get(`${urls.people}/v2/people`)).body).toEqual({ rows: [drifted], total_cnt: "1", pg: "1" })
  expect((await get(`${urls.people}/v2/people/7`)).body.err_cd).toBe("NO_SUCH_PERSON")
  expect(records()).toEqual([{ person_no: "1001", ...ada }])
})

test("notes: every service and mode → one sentence", () => {
  const notes = services.flatMap((service) => modes.map((mode) => noteOf(service, mode)))
  expect(new Set(notes).size).toBe(15)
  for (const note of notes) expect(note).toMatch(/^The \w+ service now .+\.$/)
})
