import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import type { NewJob } from "../../src/contract/job.ts"
import type { Store } from "../../src/contract/store.ts"
import * as SQL from "../../src/durable/job-statements.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { findPostgres } from "../servers/postgres.ts"
import { HOUR_MS, idsOf, memoryStore, newJob, type OpenedStore, postgresStores } from "./kit.ts"

const server = await findPostgres()
const STORES = [
  { name: "SQLite", open: (): Promise<OpenedStore> => memoryStore(), explain: "explain query plan ", isHere: true },
  { name: "PostgreSQL", open: (): Promise<OpenedStore> => postgresStores(server!), explain: "explain ", isHere: server !== null },
]
const refused = new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected" })

for (const { name, open, explain, isHere } of STORES) {
  describe.skipIf(!isHere)(`claims on ${name}`, () => {
    let opened: OpenedStore
    let store: Store
    let jobs: Jobs
    beforeAll(async () => {
      opened = await open()
      store = opened.store
      jobs = new Jobs({ store, operations: ["scores.add"], epoch: () => 1_000 })
    })
    afterAll(() => opened.close())
    const run = async (text: string): Promise<void> => void (await store.unit([{ text, values: [] }]))
    beforeEach(() => run("delete from trestle_jobs"))

    const keyed = (id: string, more: Partial<NewJob> = {}): NewJob => newJob(id, { orderKey: "ada", blocks: true, ...more })
    const put = async (...many: readonly NewJob[]): Promise<void> => {
      for (const job of many) await jobs.put(job)
    }
    const giveUpOn = async (id: string): Promise<void> => {
      const [job] = (await jobs.claim(9, HOUR_MS)).jobs
      expect(job?.id).toBe(id)
      await jobs.end([[job!, { is: "dead", error: refused }]])
    }

    test("a lease that is over, of a job that runs here → is not taken", async () => {
      await put(newJob("a"), newJob("ab"))
      await jobs.claim(2, 0)
      expect(idsOf((await jobs.claim(2, HOUR_MS, { running: ["a", "c"] })).jobs)).toEqual(["ab"])
      expect(idsOf((await jobs.claim(2, HOUR_MS, { running: ["c"] })).jobs)).toEqual(["a"])
    })

    test("behind one that is dead, of those that have expired → each is taken, in their order; nothing else is", async () => {
      await put(keyed("a"))
      await giveUpOn("a")
      await put(keyed("b", { expiresMs: 0 }), keyed("c", { expiresMs: 0 }), keyed("d", { expiresMs: HOUR_MS }))
      await giveUpOn("b")
      await giveUpOn("c")
      expect((await jobs.claim(9, HOUR_MS)).jobs).toEqual([])
    })

    test("behind one that waits, or runs → what has expired waits", async () => {
      await put(keyed("a"), keyed("b", { expiresMs: 0 }))
      expect(idsOf((await jobs.claim(9, HOUR_MS)).jobs)).toEqual(["a"])
      await run("update trestle_jobs set due_at = 0 where id = 'b'")
      expect((await jobs.claim(9, HOUR_MS)).jobs).toEqual([])
    })

    test("held up beyond its end → is looked at when it expires", async () => {
      await put(keyed("a"))
      await giveUpOn("a")
      await put(keyed("b", { expiresMs: 500 }))
      await jobs.claim(9, HOUR_MS)
      const [b] = await store.read({ text: "select due_at, expires_at from trestle_jobs where id = 'b'", values: [] })
      expect(b!.due_at).toBe(b!.expires_at)
    })

    test("many of one key that are done and kept → are not looked at", async () => {
      await put(...Array.from({ length: 200 }, (_, i) => keyed(`k${i}`)))
      await run("update trestle_jobs set state = 'done', due_at = null where id <> 'k199'")
      await run("analyze trestle_jobs")
      const texts: readonly [string, readonly (string | number)[]][] = [
        [SQL.claimText(store.dialect, 1), ["scores.add", " ", " ", 10, 1_000]],
        [SQL.NEXT_OF_KEY, ["scores.add", "ada"]],
        [SQL.IS_QUEUED, ["scores.add", "ada"]],
      ]
      for (const [text, values] of texts) {
        const [result] = (await store.unit([{ text: explain + text, values }]))!
        const plan = JSON.stringify(result!.rows)
        expect(plan).toContain("trestle_jobs_order")
        expect(plan).not.toMatch(/SCAN (trestle_jobs|j)\b/)
      }
    })
  })
}
