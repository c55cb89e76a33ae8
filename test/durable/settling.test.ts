// What a person has found out, on the real stores.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { checkApplication } from "../../src/assembly/check.ts"
import { definitionOf } from "../../src/assembly/definition.ts"
import type { JobKind, NewJob } from "../../src/contract/job.ts"
import type { JournalEntry } from "../../src/contract/journal.ts"
import type { Store } from "../../src/contract/store.ts"
import { type DeskJob, JobDesk } from "../../src/durable/job-desk.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { openJournal, stepsOf } from "../../src/durable/journal.ts"
import { PLAIN } from "../../src/durable/seal.ts"
import { SealedText } from "../../src/durable/sealed-text.ts"
import type { Settlement } from "../../src/durable/settling.ts"
import { deliveryOf } from "../../src/durable/verdict.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { code, flow, nothing, op, trestle } from "../../src/index.ts"
import { findPostgres } from "../servers/postgres.ts"
import { HOUR_MS, memoryStore, newJob, type OpenedStore, postgresStores } from "./kit.ts"

const server = await findPostgres()
const STORES = [
  { name: "SQLite", open: (): Promise<OpenedStore> => memoryStore(), isHere: true },
  { name: "PostgreSQL", open: (): Promise<OpenedStore> => postgresStores(server!), isHere: server !== null },
]

const Id = z.object({ id: z.string() })
const pay = op({ effect: "write", input: Id, output: z.object({ number: z.number() }), was: ["bank.pay"] }).via(code(() => ({ number: 1 })))
const book = op({ effect: "write", input: Id, output: nothing, repeat: "natural" }).via(code(() => undefined))
const buy = op({ effect: "write", input: Id, output: nothing }).via(flow(async (order, s) => void (await s.run(pay, order))))
const { operations } = checkApplication(definitionOf(trestle({ name: "shop", ops: { pay, book, buy } })))

const unknown = new TrestleError("OUTCOME_UNKNOWN", undefined, { outcome: "unknown" })
const SAID = { by: "ada", why: "seen in the bank" } as const
const HAPPENED: Settlement = { ...SAID, hasHappened: true, answer: { number: 7 } }
const NOT: Settlement = { ...SAID, hasHappened: false }

for (const { name, open, isHere } of STORES) {
  describe.skipIf(!isHere)(`settling on ${name}`, () => {
    const text = new SealedText(PLAIN)
    let opened: OpenedStore
    let store: Store
    let jobs: Jobs
    let desk: JobDesk
    beforeAll(async () => {
      opened = await open()
      store = opened.store
      jobs = new Jobs({ store, operations: operations.map(({ path }) => path), epoch: () => 1_000 })
      desk = new JobDesk({ store, epoch: () => 2_000, operations })
    })
    afterAll(() => opened.close())
    beforeEach(async () => {
      const values = [] as const
      await store.unit([
        { text: "delete from trestle_jobs", values },
        { text: "delete from trestle_steps", values },
      ])
    })

    /** One that has run once, and been parked. */
    const parked = async (
      id: string,
      more: Partial<NewJob> = {},
      entries: readonly JournalEntry[] = [],
      is: "parked" | "dead" = "parked",
    ) => {
      await jobs.put(newJob(id, { operation: "pay", kind: "deferred", ...more }))
      const { jobs: held } = await jobs.claim(1, HOUR_MS)
      if (entries.length > 0) await (await openJournal(store, deliveryOf(held[0]!), text)).write(entries)
      await jobs.end([[held[0]!, { is, error: unknown }]])
      return (await desk.find(id))!
    }
    const parkedFlow = (...entries: readonly JournalEntry[]): Promise<DeskJob> =>
      parked("f", { kind: "flow", operation: "buy", mayRepeat: true }, entries)
    const begun = (key: string, path = "pay"): JournalEntry => ({ key, what: `${path} 0123456789abcdef`, state: "begun" })
    const stateOf = async (id: string): Promise<string | undefined> => (await desk.find(id))?.state
    const stepsNow = async (): Promise<unknown[]> =>
      (await stepsOf(store, "f", text)).map(({ key, state, value }) => [key, state, ...(value === undefined ? [] : [value])])
    const refusal = (job: DeskJob, settlement: Settlement): Promise<unknown> =>
      desk.settle(job, settlement).then(
        (settled) => settled,
        ({ code, detail, issues }: TrestleError) => [
          code,
          ...issues.map(({ path, message }) => `${path}: ${message}`),
          ...(issues.length ? [] : [detail]),
        ],
      )

    test("a job that has happened → is done, with its answer; the next of its key goes on; it stands in the history", async () => {
      const job = await parked("a", { orderKey: "k", blocks: true })
      await jobs.put(newJob("b", { operation: "pay", orderKey: "k", delayMs: HOUR_MS }))
      expect(await desk.undecided(job)).toEqual([{ step: null, operation: "pay", isSilent: false }])
      expect(await desk.settle(job, HAPPENED)).toEqual({ then: "done", left: [] })
      expect(await jobs.endOf("a")).toEqual({ is: "done", answer: { number: 7 } })
      expect((await desk.find("a"))!.history.at(-1)).toEqual({
        at: 2_000,
        what: "settled",
        by: "ada",
        why: "it has happened: seen in the bank",
      })
      expect((await jobs.claim(9, HOUR_MS)).jobs.map(({ id }) => id)).toEqual(["b"])
    })
    test("a job whose answer nobody keeps → goes", async () => {
      await desk.settle(await parked("a", { kind: "message" }), HAPPENED)
      expect(await desk.find("a")).toBeNull()
    })
    test("a job that has not happened → runs as for the first time", async () => {
      expect(await desk.settle(await parked("a"), NOT)).toEqual({ then: "again", left: [] })
      expect((await jobs.claim(1, HOUR_MS)).jobs).toMatchObject([{ id: "a", followsUnknown: false, attempts: 1 }])
    })
    test("a dead one → can be settled too", async () =>
      expect(await desk.settle(await parked("a", {}, [], "dead"), HAPPENED)).toMatchObject({ then: "done" }))
    test("a job that was refused → nothing of it is undecided", async () => {
      await jobs.put(newJob("a", { operation: "pay" }))
      const { jobs: held } = await jobs.claim(1, HOUR_MS)
      await jobs.end([[held[0]!, { is: "parked", error: new TrestleError("FORBIDDEN") }]])
      expect(await refusal((await desk.find("a"))!, HAPPENED)).toEqual(["INVALID", "step: nothing of it is undecided"])
    })
    test.each<[string, Settlement, string]>([
      ["no step", HAPPENED, "step: which one? Undecided: charge"],
      ["a step that is not", { ...HAPPENED, step: "reserve" }, 'step: "reserve" is not undecided; these are: charge'],
      ["an answer that does not fit", { ...HAPPENED, step: "charge", answer: { number: "7" } }, "answer.number"],
      ["no answer, where one is needed", { ...SAID, hasHappened: true, step: "charge" }, "answer: "],
    ])("%s → refused, and nothing is changed", async (_, settlement, message) => {
      const job = await parkedFlow({ ...begun(":reserve"), state: "done" }, begun(":charge"))
      expect(await refusal(job, settlement)).toEqual(["INVALID", expect.stringContaining(message)])
      expect([await stateOf("f"), await stepsNow()]).toEqual([
        "parked",
        [
          [":reserve", "done"],
          [":charge", "begun"],
        ],
      ])
    })
    test("one that waits, or is done → refused", async () => {
      await jobs.put(newJob("a", { operation: "pay" }))
      const waiting = (await desk.find("a"))!
      expect(await desk.undecided(waiting)).toEqual([])
      expect(await refusal(waiting, HAPPENED)).toEqual(["CONFLICT", expect.stringContaining("it is waiting")])
    })
    test("one that runs again meanwhile → refused, and neither job nor step is changed", async () => {
      const job = await parkedFlow(begun(":charge"))
      await desk.retry([job])
      await jobs.claim(1, HOUR_MS)
      expect(await refusal(job, { ...HAPPENED, step: "charge" })).toEqual(["CONFLICT", expect.stringContaining("changed at this moment")])
      expect([await stateOf("f"), await stepsNow()]).toEqual(["running", [[":charge", "begun"]]])
    })
    test("two persons on one flow → the second, who has not seen the first, is refused", async () => {
      const job = await parkedFlow(begun(":a"), begun(":b"))
      await desk.settle(job, { ...HAPPENED, step: "a" })
      expect(await refusal(job, { ...HAPPENED, step: "b" })).toEqual(["CONFLICT", expect.anything()])
    })
    test("a step that has happened → is done, and its flow goes on", async () => {
      const job = await parkedFlow(begun(":charge", "bank.pay"))
      expect(await desk.undecided(job)).toEqual([{ step: "charge", operation: "pay", isSilent: false }])
      expect(await desk.settle(job, { ...HAPPENED, step: "charge" })).toEqual({ then: "again", left: [] })
      expect([await stateOf("f"), await stepsNow()]).toEqual(["waiting", [[":charge", "done", { number: 7 }]]])
      expect((await desk.find("f"))!.history.at(-1)).toMatchObject({
        what: "settled",
        by: "ada",
        why: "step charge has happened: seen in the bank",
      })
    })
    test("a step that has not → was never begun", async () => {
      expect(await desk.settle(await parkedFlow(begun("1")), { ...NOT, step: "1" })).toEqual({ then: "again", left: [] })
      expect([await stateOf("f"), await stepsNow()]).toEqual(["waiting", []])
    })
    test("the step of an undo → by its place", async () => {
      const job = await parkedFlow({ ...begun(":charge"), state: "done" }, begun("undo :charge/1", "book"))
      expect(await desk.undecided(job)).toEqual([{ step: "undo :charge/1", operation: "book", isSilent: true }])
      expect(await desk.settle(job, { ...SAID, hasHappened: true, step: "undo :charge/1" })).toMatchObject({ then: "again" })
    })
    test("two steps → it stays parked until both are decided; one that another run decides is not waited for", async () => {
      const first = await parkedFlow(begun(":a"), begun(":b"), begun(":c", "book"))
      expect(await desk.settle(first, { ...HAPPENED, step: "a" })).toEqual({
        then: "parked",
        left: [{ step: "b", operation: "pay", isSilent: false }],
      })
      expect(await stateOf("f")).toBe("parked")
      expect(await desk.settle((await desk.find("f"))!, { ...NOT, step: "b" })).toEqual({ then: "again", left: [] })
      expect(await stepsNow()).toEqual([
        [":a", "done", { number: 7 }],
        [":c", "begun"],
      ])
    })
    test("a deferred step whose work was given up on → decided, and nobody can send that work any more", async () => {
      await parked("w", {}, [], "dead")
      const job = await parkedFlow({ ...begun(":charge"), state: "deferred", value: "w" })
      expect(await desk.settle(job, { ...HAPPENED, step: "charge" })).toMatchObject({ then: "again" })
      expect([await desk.find("w"), await stepsNow()]).toEqual([null, [[":charge", "done", { number: 7 }]]])
    })
    test.each<[string, JobKind, string]>([
      ["still waits", "deferred", "put"],
      ["is parked itself", "deferred", "parked"],
    ])("a deferred step whose work %s → is not undecided here", async (_, kind, how) => {
      await (how === "put" ? jobs.put(newJob("w", { operation: "pay", kind, delayMs: HOUR_MS })) : parked("w", { kind }))
      expect(await desk.undecided(await parkedFlow({ ...begun(":charge"), state: "deferred", value: "w" }))).toEqual([])
    })
  })
}
