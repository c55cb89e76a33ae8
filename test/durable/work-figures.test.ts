import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import type { Store } from "../../src/contract/store.ts"
import type { StoredEnd } from "../../src/durable/job-ends.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { WorkFigures } from "../../src/durable/work-figures.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { FakeClock } from "../../src/testing/fake-clock.ts"
import { findPostgres } from "../servers/postgres.ts"
import { HOUR_MS, memoryStore, newJob, type OpenedStore, postgresStores } from "./kit.ts"

const server = await findPostgres()
const STORES = [
  { name: "SQLite", open: (): Promise<OpenedStore> => memoryStore(), isHere: true },
  { name: "PostgreSQL", open: (): Promise<OpenedStore> => postgresStores(server!), isHere: server !== null },
]
const refused = new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected" })
const PATHS = new Map([
  ["scores.add", "scores.add"],
  ["scores.put", "scores.add"],
  ["mails.send", "mails.send"],
])

for (const { name, open, isHere } of STORES) {
  describe.skipIf(!isHere)(`figures of kept work on ${name}`, () => {
    let opened: OpenedStore
    let store: Store
    let jobs: Jobs
    let clock: FakeClock
    beforeAll(async () => {
      opened = await open()
      store = opened.store
      jobs = new Jobs({ store, operations: ["scores.add", "mails.send"], epoch: () => 1_000 })
    })
    afterAll(() => opened.close())
    beforeEach(async () => {
      clock = new FakeClock()
      await store.unit(["trestle_jobs", "trestle_outbox"].map((table) => ({ text: `delete from ${table}`, values: [] })))
    })

    const figures = (): WorkFigures =>
      new WorkFigures({ store, outboxes: new Map([["notes", store]]), paths: PATHS, always: ["scores.add"], clock })
    const endNext = async (end: StoredEnd): Promise<void> => {
      const [job] = (await jobs.claim(1, HOUR_MS)).jobs
      await jobs.end([[job!, end]])
    }

    test("nothing kept → zeros for what keeps jobs, and for every outbox", async () => {
      expect(await figures().look()).toEqual({
        jobs: [{ operation: "scores.add", isKnown: true, waiting: 0, running: 0, parked: 0, dead: 0, overdueMs: 0 }],
        outboxes: [{ service: "notes", messages: 0, oldestMs: 0 }],
      })
    })

    test("jobs in every state → counted by operation; what is done is not", async () => {
      for (const [id, end] of [
        ["done", { is: "done", answer: 1 }],
        ["dead", { is: "dead", error: refused }],
        ["parked", { is: "parked", error: refused }],
      ] as const) {
        await jobs.put(newJob(id, { keepMs: HOUR_MS }))
        await endNext(end)
      }
      await jobs.put(newJob("running"))
      await jobs.claim(1, HOUR_MS)
      await jobs.put(newJob("waiting", { delayMs: HOUR_MS }))
      const [scores] = (await figures().look())!.jobs
      expect(scores).toEqual({ operation: "scores.add", isKnown: true, waiting: 1, running: 1, parked: 1, dead: 1, overdueMs: 0 })
    })

    test("a job that is due → how long it has been due", async () => {
      await jobs.put(newJob("a"))
      await jobs.put(newJob("b"))
      await store.unit([{ text: "update trestle_jobs set due_at = due_at - 90000 where id = ?", values: ["a"] }])
      const { overdueMs, waiting } = (await figures().look())!.jobs[0]!
      expect(waiting).toBe(2)
      expect(overdueMs).toBeGreaterThanOrEqual(90_000)
      expect(overdueMs).toBeLessThan(150_000)
    })

    test("a job under a former path → counts for the present one; of an operation that is not here → is told apart", async () => {
      await jobs.put(newJob("a", { operation: "scores.put" }))
      await jobs.put(newJob("b", { operation: "gone.away" }))
      const found = (await figures().look())!.jobs
      expect(found.map(({ operation, isKnown, waiting }) => [operation, isKnown, waiting])).toEqual([
        ["scores.add", true, 1],
        ["gone.away", false, 1],
      ])
    })

    test("messages in an outbox → how many, and how old the oldest is", async () => {
      const text = "insert into trestle_outbox (id, topic, body, at) values (?, 'note.added', '{}', (select trestle_now()) - ?)"
      await store.unit([60_000, 1_000].map((age, i) => ({ text, values: [`m${i}`, age] })))
      const [outbox] = (await figures().look())!.outboxes
      expect(outbox).toMatchObject({ service: "notes", messages: 2 })
      expect(outbox!.oldestMs).toBeGreaterThanOrEqual(60_000)
    })

    test("asked again within five seconds → the same, and the store is not asked", async () => {
      const one = figures()
      const first = await one.look()
      await jobs.put(newJob("a"))
      expect(await one.look()).toBe(first)
      await clock.advance("5s")
      expect((await one.look())!.jobs[0]!.waiting).toBe(1)
    })
  })
}

describe("figures of a store in trouble", () => {
  const of = (read: Store["read"], clock: FakeClock): WorkFigures =>
    new WorkFigures({ store: { read } as Store, outboxes: new Map(), paths: PATHS, always: [], clock })

  test("a store that fails → null", async () => {
    expect(await of(() => Promise.reject(refused), new FakeClock()).look()).toBeNull()
  })

  test("a store that hangs → null within a second, and it is not asked again meanwhile", async () => {
    const clock = new FakeClock()
    let asked = 0
    const figures = of(() => {
      asked++
      return new Promise(() => {})
    }, clock)
    for (let i = 0; i < 2; i++) {
      const looking = figures.look()
      await clock.advance("1s")
      expect(await looking).toBeNull()
    }
    expect(asked).toBe(1)
  })
})
