import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import type { JobEnd, NewJob } from "../../src/contract/job.ts"
import type { Store } from "../../src/contract/store.ts"
import { JobDesk } from "../../src/durable/job-desk.ts"
import type { StoredEnd } from "../../src/durable/job-ends.ts"
import type { HeldJob } from "../../src/durable/job-record.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { findPostgres } from "../servers/postgres.ts"
import { HOUR_MS, idsOf, memoryStore, newJob, type OpenedStore, postgresStores } from "./kit.ts"

const server = await findPostgres()
const STORES = [
  { name: "SQLite", open: (): Promise<OpenedStore> => memoryStore(), isHere: true },
  { name: "PostgreSQL", open: (): Promise<OpenedStore> => postgresStores(server!), isHere: server !== null },
]
const DONE: StoredEnd = { is: "done", answer: undefined }
const refused = new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected", note: "the CRM is gone" })
const unknown = new TrestleError("OUTCOME_UNKNOWN", undefined, { reason: "connection-lost" })
const FAILED: StoredEnd = { is: "failed", error: refused, delayMs: 0 }
const DEAD: StoredEnd = { is: "dead", error: refused }

for (const { name, open, isHere } of STORES) {
  describe.skipIf(!isHere)(`jobs on ${name}`, () => {
    let opened: OpenedStore
    let store: Store
    let jobs: Jobs
    let desk: JobDesk
    beforeAll(async () => {
      opened = await open()
      store = opened.store
      jobs = new Jobs({ store, operations: ["scores.add", "mails.send"], epoch: () => 1_000 })
      desk = new JobDesk({ store, epoch: () => 2_000, operations: [] })
    })
    afterAll(() => opened.close())
    beforeEach(async () => void (await store.unit([{ text: "delete from trestle_jobs", values: [] }])))

    const put = async (...many: readonly NewJob[]): Promise<void> => {
      for (const job of many) await jobs.put(job)
    }
    const claim = async (limit = 10, leaseMs = HOUR_MS): Promise<readonly HeldJob[]> => (await jobs.claim(limit, leaseMs)).jobs
    const claimOne = async (leaseMs = HOUR_MS): Promise<HeldJob> => {
      const [job] = await claim(1, leaseMs)
      expect(job).toBeDefined()
      return job!
    }
    const end = async (job: HeldJob, how: StoredEnd): Promise<boolean> => (await jobs.end([[job, how]])).length === 0
    const stateOf = async (id: string): Promise<string | undefined> => (await desk.find(id))?.state

    test("a second job of one id → is not taken", async () => {
      expect([await jobs.put(newJob("a")), await jobs.put(newJob("a"))]).toEqual([true, false])
      expect(idsOf(await claim())).toEqual(["a"])
    })

    test("a claimed job → comes as it was put, and to nobody else", async () => {
      const principal = { id: "ada", kind: "user", roles: ["clerk"], permissions: ["p"], tenant: "t", claims: { secret: 1 } } as const
      await put(newJob("a", { principal, isOwnAuthority: false, input: { text: "ü'\"" }, version: 3, times: Infinity }))
      const job = await claimOne()
      expect(job).toMatchObject({
        id: "a",
        operation: "scores.add",
        attempts: 1,
        fence: 1,
        followsUnknown: false,
        trace: newJob("a").trace,
      })
      expect(job.body).toMatchObject({ input: { text: "ü'\"" }, version: 3, times: Number.MAX_SAFE_INTEGER, idempotencyKey: "a" })
      expect(job.body!.principal).toEqual({ id: "ada", kind: "user", roles: ["clerk"], permissions: ["p"], tenant: "t" })
      expect(await claim()).toEqual([])
    })

    test("a job of an operation that is not known here → is left to others", async () => {
      await put(newJob("a", { operation: "new.one" }))
      expect(await claim()).toEqual([])
    })

    test("more jobs than are asked for → the longest due first, and it is said that there may be more", async () => {
      await put(newJob("a"), newJob("b"), newJob("c"))
      const first = await jobs.claim(2, HOUR_MS)
      expect([idsOf(first.jobs), first.isMore]).toEqual([["a", "b"], true])
      const second = await jobs.claim(2, HOUR_MS)
      expect([idsOf(second.jobs), second.isMore]).toEqual([["c"], false])
    })

    test("a job for later → is not claimed before, and it is known when", async () => {
      await put(newJob("a", { delayMs: HOUR_MS }))
      expect(await claim()).toEqual([])
      expect(await jobs.nextDueMs()).toBeGreaterThan(HOUR_MS - 60_000)
    })

    test("nothing to do → nothing is due", async () => expect(await jobs.nextDueMs()).toBeNull())

    test("a lease that has run out → somebody else gets the job, and knows that it may have had its effect", async () => {
      await put(newJob("a"))
      const first = await claimOne(0)
      const second = await claimOne()
      expect(second).toMatchObject({ id: "a", attempts: 2, fence: 2, followsUnknown: true })
      expect([await end(first, DONE), await stateOf("a")]).toEqual([false, "running"])
      expect([await end(second, DONE), await stateOf("a")]).toEqual([true, undefined])
    })

    test.each<[string, StoredEnd]>([
      ["done", DONE],
      ["failed", FAILED],
      ["dead", DEAD],
      ["parked", { is: "parked", error: unknown }],
      ["suspended", { is: "suspended", delayMs: 0, why: "w" }],
    ])("whoever lost the lease → cannot write that it is %s", async (_, how) => {
      await put(newJob("a"))
      const first = await claimOne(0)
      await claimOne()
      expect([await end(first, how), await stateOf("a")]).toEqual([false, "running"])
    })

    test("a lease that is renewed → holds; one that was lost is named", async () => {
      await put(newJob("a"), newJob("b"))
      const [a, b] = await claim(2, 0)
      expect(await jobs.renew([a!], HOUR_MS)).toEqual([])
      expect(idsOf(await claim())).toEqual(["b"])
      expect(idsOf(await jobs.renew([a!, b!], HOUR_MS))).toEqual(["b"])
    })

    test("a job that failed → is run again, with its history", async () => {
      await put(newJob("a"))
      await end(await claimOne(), FAILED)
      const again = await claimOne()
      expect(again).toMatchObject({ attempts: 2, followsUnknown: false })
      expect(again.history).toEqual([{ at: 1_000, what: "failed", code: "UNAVAILABLE", why: refused.message }])
    })

    test("a job whose failure is unknown → its next run knows", async () => {
      await put(newJob("a"))
      await end(await claimOne(), { is: "failed", error: unknown, delayMs: 0 })
      expect((await claimOne()).followsUnknown).toBe(true)
    })

    test("a pause longer than can be stored → the end is stored, with the longest pause", async () => {
      await put(newJob("a"))
      expect(await end(await claimOne(), { is: "failed", error: refused, delayMs: 1e23 })).toBe(true)
      expect((await desk.find("a"))!.dueAt! - Date.now()).toBeLessThan(31 * 24 * HOUR_MS)
    })

    test.each([
      ["with a NUL", "a\0b"],
      ["with half of a character", "a\ud800"],
      ["of 100,000 characters", Array.from({ length: 50_000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 20_000))).join("ab")],
      ["that is no text", 5 as unknown as string],
    ])("an order key %s → keeps its order", async (_, orderKey) => {
      await put(newJob("a", { orderKey }), newJob("b", { orderKey }))
      expect([await jobs.isQueued("scores.add", orderKey), idsOf(await claim())]).toEqual([true, ["a"]])
      expect(await jobs.putLeased(newJob("c", { orderKey }), HOUR_MS)).toBe("waits")
    })

    test("an input that is no JSON → is refused", async () => expect(jobs.put(newJob("a", { input: 1n }))).rejects.toThrow("must be JSON"))

    test("a suspended job → is not counted as tried", async () => {
      await put(newJob("a"))
      await end(await claimOne(), { is: "suspended", delayMs: 0, why: "waits for the CRM" })
      expect(await claimOne()).toMatchObject({ attempts: 1, fence: 2 })
    })

    test("a job that is given back → is as it was before", async () => {
      await put(newJob("a"))
      await jobs.giveBack([await claimOne()])
      expect(await claimOne()).toMatchObject({ attempts: 1, followsUnknown: false })
    })

    test("a job that expires before its next try → is tried then, and is known to have expired", async () => {
      await put(newJob("a", { expiresMs: 0 }))
      const job = await claimOne()
      expect(job.isExpired).toBe(true)
      await put(newJob("b", { expiresMs: HOUR_MS }))
      await end(await claimOne(), { is: "failed", error: refused, delayMs: 2 * HOUR_MS })
      const { dueAt, expiresAt } = (await desk.find("b"))!
      expect(dueAt).toBe(expiresAt)
    })

    test("a long history → only the newest are kept", async () => {
      await put(newJob("a"))
      for (let i = 0; i < 60; i++) await end(await claimOne(), FAILED)
      expect((await desk.find("a"))!.history).toHaveLength(50)
    })

    describe("that have an order", () => {
      const keyed = (id: string, more: Partial<NewJob> = {}): NewJob => newJob(id, { orderKey: "ada", blocks: true, ...more })

      test("of one key → the later one comes when the earlier one is done", async () => {
        await put(keyed("a"), keyed("b"), newJob("c"))
        const first = await claim()
        expect(idsOf(first)).toEqual(["a", "c"])
        expect(await claim()).toEqual([])
        await end(first[0]!, DONE)
        expect(idsOf(await claim())).toEqual(["b"])
      })

      test("of one key in two operations → do not wait for one another", async () => {
        await put(keyed("a"), keyed("b", { operation: "mails.send" }))
        expect(idsOf(await claim())).toEqual(["a", "b"])
      })

      test("one that is tried again later → holds up those behind it", async () => {
        await put(keyed("a"), keyed("b"))
        await end(await claimOne(), { is: "failed", error: refused, delayMs: HOUR_MS })
        expect(await claim()).toEqual([])
      })

      test.each<[string, StoredEnd]>([
        ["dead", DEAD],
        ["parked", { is: "parked", error: unknown }],
      ])("one that is %s → holds up those behind it where it blocks", async (_, how) => {
        await put(keyed("a"), keyed("b"))
        await end(await claimOne(), how)
        expect(await claim()).toEqual([])
        expect(await jobs.isQueued("scores.add", "ada")).toBe(true)
      })

      test.each<[string, StoredEnd]>([
        ["dead", DEAD],
        ["parked", { is: "parked", error: unknown }],
      ])("one that is %s → lets the next one go where it does not block", async (_, how) => {
        await put(keyed("a", { blocks: false }), keyed("b", { blocks: false }))
        await end(await claimOne(), how)
        expect(idsOf(await claim())).toEqual(["b"])
      })

      test("one whose lease has run out → comes again before those behind it", async () => {
        await put(keyed("a"), keyed("b"))
        await claimOne(0)
        expect(idsOf(await claim())).toEqual(["a"])
      })

      test("an earlier one that a person orders again → waits until the later one has ended", async () => {
        await put(keyed("a", { blocks: false }), keyed("b", { blocks: false }))
        await end(await claimOne(), DEAD)
        const b = await claimOne()
        await desk.retry([(await desk.find("a"))!])
        expect(await claim()).toEqual([])
        await end(b, DONE)
        expect(idsOf(await claim())).toEqual(["a"])
      })

      test("many behind one that is dead → others are not held up", async () => {
        await put(keyed("a"))
        await end(await claimOne(), DEAD)
        await put(...Array.from({ length: 30 }, (_, i) => keyed(`b${i}`)), newJob("c"))
        const found: string[] = []
        for (let more = true; more; ) {
          const { jobs: some, isMore } = await jobs.claim(10, HOUR_MS)
          found.push(...idsOf(some))
          more = isMore
        }
        expect(found).toEqual(["c"])
      })
    })

    describe("that are put by whoever runs them", () => {
      test("→ are leased at once, and nobody else gets them", async () => {
        expect(await jobs.putLeased(newJob("a"), HOUR_MS)).toMatchObject({ id: "a", attempts: 1, fence: 1 })
        expect(await claim()).toEqual([])
      })
      test("as they would have been claimed", async () => {
        const put = newJob("a", { orderKey: "k", why: "because", principal: { id: "ada", kind: "user" }, lastsMs: 5, keepMs: 7 })
        const leased = (await jobs.putLeased(put, 0)) as HeldJob
        const claimed = await claimOne()
        expect(claimed).toEqual({ ...leased, attempts: 2, fence: 2, followsUnknown: true })
      })
      test("known already → are not run again", async () => {
        await put(newJob("a"))
        expect(await jobs.putLeased(newJob("a"), HOUR_MS)).toBe("known")
      })
      test("behind another of their key → wait for their turn", async () => {
        await put(newJob("a", { orderKey: "k" }))
        expect(await jobs.putLeased(newJob("b", { orderKey: "k" }), HOUR_MS)).toBe("waits")
        await end(await claimOne(), DONE)
        expect(idsOf(await claim())).toEqual(["b"])
      })
    })

    describe("that are over", () => {
      test("done → a message is gone, unless it may come again", async () => {
        await put(newJob("a"), newJob("b", { keepMs: HOUR_MS }))
        for (const job of await claim()) await end(job, DONE)
        expect([await jobs.put(newJob("a")), await jobs.put(newJob("b"))]).toEqual([true, false])
      })
      test("done → what was kept long enough goes", async () => {
        await put(newJob("a", { kind: "deferred", keepMs: 1 }), newJob("b", { kind: "deferred" }))
        for (const job of await claim()) await end(job, DONE)
        await store.unit([{ text: "update trestle_jobs set forget_at = 1 where id = ?", values: ["a"] }])
        await jobs.forget()
        expect([await stateOf("a"), await stateOf("b")]).toEqual([undefined, "done"])
      })
      test.each<[string, unknown]>([
        ["a list", [1, { a: null }]],
        ["nothing", undefined],
        ["a Date", { on: new Date(5) }],
      ])("done with %s → those who follow hear the answer; what was asked is not kept", async (_, answer) => {
        await put(newJob("a", { kind: "deferred", input: { secret: "s3cret" } }))
        await end(await claimOne(), { is: "done", answer })
        expect(await jobs.endOf("a")).toEqual({ is: "done", answer })
        expect(JSON.stringify(await store.read({ text: "select * from trestle_jobs", values: [] }))).not.toContain("s3cret")
      })
      test.each(["ended", "dead", "parked"] as const)("%s → those who follow hear the error", async (is) => {
        const error = new TrestleError("EMAIL_TAKEN", "taken", { status: 409, outcome: "answered", note: "n" })
        await put(newJob("a", { kind: "flow" }))
        await end(await claimOne(), { is, error })
        expect(await jobs.endOf("a")).toMatchObject({
          is,
          error: { code: "EMAIL_TAKEN", detail: "taken", status: 409, outcome: "answered", note: "n" },
        } satisfies { is: JobEnd["is"]; error: object })
      })
      test("under way → has no end yet; unknown → nothing is known", async () => {
        await put(newJob("a"))
        expect([await jobs.endOf("a"), await jobs.endOf("b")]).toEqual([null, undefined])
      })
    })

    test("a job that has not begun → can be taken back; one that runs cannot", async () => {
      await put(newJob("a"), newJob("b"))
      await claimOne()
      expect([await jobs.cancel("a"), await jobs.cancel("b"), await jobs.cancel("c")]).toEqual([false, true, false])
    })

    test("progress → is seen, and only that of whoever holds the job", async () => {
      await put(newJob("a"))
      const first = await claimOne(0)
      await claimOne()
      await jobs.progressed(first, { done: 9, step: "late" })
      expect((await desk.find("a"))!.progress).toBeNull()
      await jobs.progressed({ id: "a", fence: 2 }, { done: 1, step: "mail" })
      expect((await desk.find("a"))!.progress).toEqual({ done: 1, step: "mail" })
    })

    test("jobs of a former path → are the present operation's", async () => {
      await put(newJob("a", { operation: "points.add" }))
      await jobs.rename([["points.add", "scores.add"]])
      expect((await claimOne()).operation).toBe("scores.add")
    })

    describe("on the desk of a person", () => {
      const all = async (): Promise<string[]> => {
        const found: string[] = []
        for await (const { id, state } of desk.all()) found.push(`${id} ${state}`)
        return found
      }
      test("listed in their order, page after page", async () => {
        await store.unit(Array.from({ length: 450 }, (_, i) => jobs.putting(newJob(`j${i}`))))
        expect(await all()).toEqual(Array.from({ length: 450 }, (_, i) => `j${i} waiting`))
      })
      test("listed by their state", async () => {
        await put(newJob("a"), newJob("b"))
        await end(await claimOne(), DEAD)
        const dead: string[] = []
        for await (const { id } of desk.all("dead")) dead.push(id)
        expect(dead).toEqual(["a"])
      })
      test("the newest of two states, page after page", async () => {
        await store.unit(Array.from({ length: 450 }, (_, i) => jobs.putting(newJob(`j${i}`, i === 7 ? { isParked: true } : {}))))
        await end(await claimOne(), DONE)
        const found: string[] = []
        for await (const { id } of desk.newest(["waiting", "running"])) found.push(id)
        const isOpen = (id: string): boolean => id !== "j0" && id !== "j7"
        expect(found).toEqual(Array.from({ length: 450 }, (_, i) => `j${449 - i}`).filter(isOpen))
      })
      test("held up → by whom: of several by the one that waits for a person, else by the first", async () => {
        await put(newJob("a", { orderKey: "k", blocks: true }), newJob("b", { orderKey: "k", blocks: true }))
        await put(newJob("c", { orderKey: "k", blocks: true }), newJob("other", { orderKey: "l" }))
        const heldUpBy = async (id: string): Promise<unknown> => (await desk.find(id))!.heldUpBy
        expect([await heldUpBy("a"), await heldUpBy("other")]).toEqual([null, null])
        expect(await heldUpBy("c")).toEqual({ id: "a", state: "waiting" })
        await store.unit([{ text: "update trestle_jobs set state = ?, due_at = null where id = ?", values: ["dead", "b"] }])
        expect([await heldUpBy("b"), await heldUpBy("c")]).toEqual([null, { id: "b", state: "dead" }])
      })
      test("a flow that has failed → is no success, and its history says why", async () => {
        await put(newJob("a", { kind: "flow" }), newJob("b", { kind: "flow" }))
        const error = new TrestleError("NO_STOCK", "All gone", { status: 409, outcome: "answered" })
        await end(await claimOne(), { is: "ended", error })
        await end(await claimOne(), DONE)
        expect(await all()).toEqual(["a failed", "b done"])
        expect((await desk.find("a"))!.history).toEqual([{ at: 1_000, what: "ended", code: "NO_STOCK", why: "NO_STOCK: All gone" }])
      })
      test("suspended for work → which that is, while it is there", async () => {
        await put(newJob("f", { kind: "flow" }))
        await end(await claimOne(), { is: "suspended", delayMs: HOUR_MS, why: "waits", work: "w" })
        const workOf = async (): Promise<unknown> => desk.workOf((await desk.find("f"))!)
        expect(await workOf()).toBeNull()
        await put(newJob("w", { kind: "deferred" }))
        expect(await workOf()).toMatchObject({ id: "w", state: "waiting" })
      })
      test("retried → runs again as if for the first time, though it may have had its effect", async () => {
        await put(newJob("a"))
        await end(await claimOne(), { is: "parked", error: unknown })
        expect(idsOf(await desk.retry([(await desk.find("a"))!]))).toEqual(["a"])
        const job = await claimOne()
        expect(job).toMatchObject({ attempts: 1, isOrdered: true, followsUnknown: true })
        expect(job.history.map(({ what, at }) => [what, at])).toEqual([
          ["parked", 1_000],
          ["retried", 2_000],
        ])
        await end(job, FAILED)
        expect((await claimOne()).isOrdered).toBe(false)
      })
      test("retried, and its process dies → the next run was ordered by nobody", async () => {
        await put(newJob("a"))
        await end(await claimOne(), { is: "parked", error: unknown })
        await desk.retry([(await desk.find("a"))!])
        expect((await claimOne(0)).isOrdered).toBe(true)
        expect(await claimOne()).toMatchObject({ isOrdered: false, followsUnknown: true })
      })
      test("retried after it expired → does not expire again", async () => {
        await put(newJob("a", { expiresMs: 0 }))
        await end(await claimOne(), DEAD)
        await desk.retry([(await desk.find("a"))!])
        expect((await claimOne()).isExpired).toBe(false)
      })
      test("dropped → is gone, and the next of its key comes", async () => {
        await put(newJob("a", { orderKey: "k", blocks: true }), newJob("b", { orderKey: "k", blocks: true }))
        await end(await claimOne(), DEAD)
        expect(idsOf(await desk.drop([(await desk.find("a"))!]))).toEqual(["a"])
        expect(await all()).toEqual(["b waiting"])
        expect(idsOf(await claim())).toEqual(["b"])
      })
      test("one that runs → is neither retried nor dropped", async () => {
        await put(newJob("a"))
        await claimOne()
        const job = (await desk.find("a"))!
        expect([await desk.retry([job]), await desk.drop([job]), await stateOf("a")]).toEqual([[], [], "running"])
      })
      test("one that has run meanwhile → is not touched by an old picture of it", async () => {
        await put(newJob("a"))
        const before = (await desk.find("a"))!
        await end(await claimOne(), DEAD)
        expect([await desk.drop([before]), await stateOf("a")]).toEqual([[], "dead"])
      })
    })
  })
}

describe.skipIf(server === null)("jobs on PostgreSQL, two nodes", () => {
  test("that claim at once → each job is one node's", async () => {
    const { store, other, close } = await postgresStores(server!)
    const nodes = [store, other].map((one) => new Jobs({ store: one, operations: ["scores.add"], epoch: () => 0 }))
    await store.unit(Array.from({ length: 200 }, (_, i) => nodes[0]!.putting(newJob(`j${i}`))))
    const claimed: string[] = []
    const takeAll = async (node: Jobs): Promise<void> => {
      for (;;) {
        const { jobs } = await node.claim(7, HOUR_MS)
        if (jobs.length === 0) return
        claimed.push(...idsOf(jobs))
      }
    }
    await Promise.all(nodes.flatMap((node) => [takeAll(node), takeAll(node)]))
    // What another one holds locked at that moment is passed over: whoever looks later finds it.
    await takeAll(nodes[0]!)
    expect(claimed).toHaveLength(200)
    expect(new Set(claimed).size).toBe(200)
    await close()
  })
})
