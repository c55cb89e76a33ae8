import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Store } from "../../src/contract/store.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { openJournal } from "../../src/durable/journal.ts"
import { PLAIN } from "../../src/durable/seal.ts"
import { SealedText } from "../../src/durable/sealed-text.ts"
import { deliveryOf } from "../../src/durable/verdict.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { fileStore, HOUR_MS, newJob } from "../durable/kit.ts"
import { folder, json, type Ran, serve, trestle } from "./kit.ts"

const APP = `import { code, nothing, op, topic, trestle } from "trestle"
import { writeFileSync } from "node:fs"
import { z } from "zod"
const Points = z.object({ points: z.number() })
const scored = topic("scored", Points)
const consumer = (name) => op({ on: scored, effect: "write", repeat: "natural", input: Points, output: nothing }).via(code(() => writeFileSync(name, "done")))
export const app = trestle({ name: "scores", ops: { scores: { add: consumer("added") }, mails: { send: consumer("sent") } } })
`
const no = new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected", note: "the CRM is gone" })

/** A folder whose application has two dead jobs, a parked one, one that waits and one that runs. */
async function kept(): Promise<string> {
  const cwd = folder({ "app.ts": APP })
  mkdirSync(join(cwd, ".trestle"))
  const { store, close } = await fileStore(join(cwd, ".trestle", "store.db"))
  const jobs = new Jobs({ store, operations: ["scores.add", "mails.send"], epoch: Date.now })
  for (const id of ["d1", "d2", "p1", "r1"])
    await jobs.put(newJob(id, { version: 1, operation: id === "d2" ? "mails.send" : "scores.add", input: { points: 4_711 } }))
  const [d1, d2, p1] = (await jobs.claim(4, HOUR_MS)).jobs
  await jobs.end([
    [d1!, { is: "dead", error: no }],
    [d2!, { is: "dead", error: no }],
    [p1!, { is: "parked", error: no }],
  ])
  await jobs.put(newJob("w1", { version: 1, delayMs: HOUR_MS }))
  await close()
  return cwd
}

const jobs = (cwd: string, ...args: string[]): Promise<Ran> => trestle(["jobs", ...args], { cwd })
const listed = async (cwd: string, ...args: string[]): Promise<string> =>
  json(await jobs(cwd, "list", "--json", ...args))
    .jobs.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`)
    .join(", ")

/** The later of two messages of one key whose earlier one is dead. */
async function behindADeadOne(): Promise<string> {
  const cwd = folder({ "app.ts": APP })
  await inStoreOf(cwd, ["scores.add"], async ({ jobs }) => {
    await jobs.put(newJob("a", { orderKey: "k", blocks: true }))
    const [dead] = (await jobs.claim(1, HOUR_MS)).jobs
    await jobs.end([[dead!, { is: "dead", error: no }]])
    await jobs.put(newJob("b", { orderKey: "k", blocks: true }))
  })
  return cwd
}

/** One flow that is done, and one that has failed and is undone. */
async function over(): Promise<string> {
  const cwd = folder({ "app.ts": SHOP })
  await inStoreOf(cwd, ["buy"], async ({ jobs }) => {
    for (const id of ["f1", "f2"]) await jobs.put(newJob(id, { kind: "flow", operation: "buy" }))
    const [done, failed] = (await jobs.claim(2, HOUR_MS)).jobs
    await jobs.end([
      [done!, { is: "done", answer: undefined }],
      [failed!, { is: "ended", error: new TrestleError("NO_STOCK", "All gone", { status: 409, outcome: "answered" }) }],
    ])
  })
  return cwd
}

/** A flow in the middle of being undone, that waits for the work of another step. */
async function undoing(): Promise<string> {
  const cwd = folder({ "app.ts": SHOP })
  await inStoreOf(cwd, ["pay", "buy"], async ({ jobs, store }) => {
    await jobs.put(newJob("f1", { kind: "flow", operation: "buy", mayRepeat: true }))
    const [held] = (await jobs.claim(1, HOUR_MS)).jobs
    const journal = await openJournal(store, deliveryOf(held!), new SealedText(PLAIN))
    const failure = { code: "NO_STOCK", detail: "All gone", status: 409, outcome: "answered", note: "answered" } as const
    await journal.write([
      { key: ":reserve", what: "reserve 0123456789abcdef", state: "done", servedBy: "hall", value: { seat: 1, token: "t0psecret" } },
      { key: ":charge", what: "pay 0123456789abcdef", state: "done", value: { number: 4_711 } },
      { key: ":ship", what: "ship 0123456789abcdef", state: "failed", error: failure },
      { key: "failure", what: "failure", state: "failed", error: failure },
      { key: "undo :charge/1", what: "refund 0123456789abcdef", state: "done" },
      { key: "undo :reserve/:release", what: "release 0123456789abcdef", state: "deferred", value: "w1" },
    ])
    await jobs.progressed(held!, { done: 2, step: "reserve", undoing: "NO_STOCK" })
    await jobs.end([[held!, { is: "suspended", delayMs: HOUR_MS, why: "waits for the work w1", work: "w1" }]])
    await jobs.put(newJob("w1", { kind: "deferred", operation: "pay" }))
    const [work] = (await jobs.claim(1, HOUR_MS)).jobs
    await jobs.end([[work!, { is: "failed", error: no, delayMs: HOUR_MS }]])
  })
  return cwd
}

async function inStoreOf(
  cwd: string,
  operations: readonly string[],
  act: (parts: { jobs: Jobs; store: Store }) => Promise<void>,
): Promise<void> {
  mkdirSync(join(cwd, ".trestle"))
  const { store, close } = await fileStore(join(cwd, ".trestle", "store.db"))
  await act({ jobs: new Jobs({ store, operations, epoch: Date.now }), store })
  await close()
}

describe("jobs list", () => {
  test("nothing kept yet: says so, and makes no store", async () => {
    const cwd = folder({ "app.ts": APP })
    expect(await jobs(cwd, "list")).toEqual({ code: 0, stdout: "", stderr: "nothing is kept\n" })
    expect(existsSync(join(cwd, ".trestle"))).toBe(false)
  })
  test("a table: what needs a person first, the newest first, ages as people say them; never what they were given", async () => {
    const { code, stdout } = await jobs(await kept(), "list")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ID +OPERATION +STATE +AGE\n/)
    expect(stdout).toMatch(/^d1 +scores\.add +dead +\d+ s +UNAVAILABLE, the CRM is gone$/m)
    expect(stdout).toMatch(/^w1 +scores\.add +waiting +\d+ s +begins in 59 min$/m)
    expect(stdout).not.toContain("4711")
  })
  test("what is over is not in the way: only with --all, or its state; a flow that has failed says so, and why", async () => {
    const cwd = await over()
    expect(await jobs(cwd, "list")).toMatchObject({ stdout: "", stderr: "nothing is open; --all shows what is over\n" })
    expect(await listed(cwd, "--all")).toBe("f2 failed, f1 done")
    expect(await listed(cwd, "--state", "failed")).toBe("f2 failed")
    expect((await jobs(cwd, "list", "--all")).stdout).toMatch(/^f2 +buy +failed +\d+ s +failed and undone: NO_STOCK: All gone$/m)
    const { stdout } = await jobs(cwd, "show", "f2")
    expect(stdout).toMatch(/^state +failed$/m)
    expect(stdout).toMatch(/^\S+Z +failed and undone: NO_STOCK: All gone$/m)
  })
  test("behind a dead one of its key: which one holds it up, and what to do", async () => {
    const cwd = await behindADeadOne()
    expect((await jobs(cwd, "list")).stdout).toMatch(/^b +scores\.add +waiting +\d+ s +held up by a \(dead\): retry or drop it$/m)
    const { stdout } = await jobs(cwd, "show", "b")
    expect(stdout).toMatch(/^turn +held up by a \(dead\): retry or drop it$/m)
    expect(stdout).not.toMatch(/^(next|runs|principal|due) /m)
    expect(json(await jobs(cwd, "show", "b", "--json")).job.heldUpBy).toEqual({ id: "a", state: "dead" })
  })
  test("by state and by operation", async () => {
    const cwd = await kept()
    expect(await listed(cwd)).toBe("p1 parked, d2 dead, d1 dead, w1 waiting, r1 running")
    expect(await listed(cwd, "--state", "dead", "--operation", "mails.*")).toBe("d2 dead")
    expect(await listed(cwd, "--operation", "mails")).toBe("d2 dead")
    expect(await listed(cwd, "--limit", "2")).toBe("p1 parked, d2 dead")
  })
  test("a state that there is not: exit 2, with the nearest", async () =>
    expect(await jobs(await kept(), "list", "--state", "daed")).toMatchObject({ code: 2, stderr: expect.stringContaining('mean "dead"') }))
})

describe("jobs show", () => {
  test("the story of one", async () => {
    const { code, stdout } = await jobs(await kept(), "show", "d1")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^state +dead$/m)
    expect(stdout).toMatch(/^\d{4}-\S+Z +dead: UNAVAILABLE/m)
  })
  test("a flow that is being undone: that it is, why, and its steps in the order of their journal", async () => {
    const cwd = await undoing()
    const { stdout } = await jobs(cwd, "show", "f1")
    expect(stdout).toMatch(/^progress +undoing reserve because of NO_STOCK$/m)
    const steps = stdout.slice(stdout.indexOf("STEPS\n") + 6, stdout.indexOf("\nHISTORY")).split("\n")
    expect(steps.map((line) => line.split(/ {2,}/))).toEqual([
      ["reserve", "reserve", "undoing", "by hall"],
      ["charge", "pay", "undone"],
      ["ship", "ship", "failed", "NO_STOCK: All gone"],
      ["undo charge", "refund", "done"],
      ["undo reserve: release", "release", "deferred", "by the work w1"],
      [""],
    ])
  })
  test("a flow that waits for work: which, and why that waits", async () => {
    const cwd = await undoing()
    const sentence = /waits for +w1 \(pay, waiting: run failed: UNAVAILABLE, the CRM is gone; next try in 59 min\)/
    expect((await jobs(cwd, "list", "--operation", "buy")).stdout).toMatch(sentence)
    expect((await jobs(cwd, "show", "f1")).stdout).toMatch(sentence)
    expect(json(await jobs(cwd, "show", "f1", "--json")).waitsFor).toMatchObject({ id: "w1", operation: "pay", state: "waiting" })
  })
  test("answers of steps: only where they are asked for, and never what is known to be secret", async () => {
    const cwd = await undoing()
    for (const args of [[], ["--json"]]) expect((await jobs(cwd, "show", "f1", ...args)).stdout).not.toContain("4711")
    const { stdout } = await jobs(cwd, "show", "f1", "--answers")
    expect(stdout).toContain('{"number":4711}')
    expect(stdout).toContain('{"seat":1,"token":"[redacted]"}')
  })
  test("one that there is not: exit 2", async () =>
    expect(await jobs(await kept(), "show", "x")).toMatchObject({ code: 2, stderr: expect.stringContaining('no job "x"') }))
})

describe("jobs retry", () => {
  test("one by its id", async () => {
    const cwd = await kept()
    expect(await jobs(cwd, "retry", "p1")).toMatchObject({ code: 0, stderr: "p1 to be run again\n" })
    expect(await listed(cwd, "--state", "waiting")).toBe("w1 waiting, p1 waiting")
  })
  test("all: those that are dead, of the operations that are named", async () => {
    const cwd = await kept()
    expect(await jobs(cwd, "retry", "--all", "--dry-run")).toMatchObject({ code: 0, stderr: "would run again d1, d2\n" })
    expect(json(await jobs(cwd, "retry", "--all", "--operation", "scores.*", "--json"))).toMatchObject({
      ok: true,
      summary: { retry: 1 },
      jobs: [{ id: "d1" }],
    })
    expect(await listed(cwd)).toBe("p1 parked, d2 dead, w1 waiting, r1 running, d1 waiting")
  })
  test("one that runs: exit 1, and it is left alone", async () =>
    expect(await jobs(await kept(), "retry", "d1", "r1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("r1 not to be run again"),
    }))
  test("without saying which: exit 2", async () => expect((await jobs(await kept(), "retry")).code).toBe(2))
  test("beside an application that runs: it runs the job within a second or so", async () => {
    const cwd = await kept()
    const { stop, ended } = await serve(cwd, { env: { TRESTLE_LOG: "silent" } })
    await jobs(cwd, "retry", "d2")
    await expect.poll(() => existsSync(join(cwd, "sent")), { timeout: 20_000 }).toBe(true)
    stop("SIGTERM")
    expect((await ended).code).toBe(0)
    expect(await listed(cwd, "--operation", "mails")).toBe("")
  })
})

const SHOP = `import { code, flow, nothing, op, trestle } from "trestle"
import { z } from "zod"
const Id = z.object({ id: z.string() })
const pay = op({ effect: "write", input: Id, output: z.object({ number: z.number() }) }).via(code(() => ({ number: 1 })))
const buy = op({ effect: "write", input: Id, output: nothing }).via(flow(async (order, s) => void (await s.run(pay, order, { name: "pay now" }))))
export const app = trestle({ name: "shop", ops: { pay, buy } })
`

/** A folder with a parked flow whose payment may have happened, and a deferred payment of which nobody knows either. */
async function undecided(): Promise<string> {
  const cwd = folder({ "app.ts": SHOP })
  mkdirSync(join(cwd, ".trestle"))
  const { store, close } = await fileStore(join(cwd, ".trestle", "store.db"))
  const jobs = new Jobs({ store, operations: ["pay", "buy"], epoch: Date.now })
  await jobs.put(newJob("f1", { kind: "flow", operation: "buy", mayRepeat: true }))
  await jobs.put(newJob("p1", { kind: "deferred", operation: "pay" }))
  const held = (await jobs.claim(2, HOUR_MS)).jobs
  const journal = await openJournal(store, deliveryOf(held[0]!), new SealedText(PLAIN))
  await journal.write([{ key: ":pay now", what: "pay 0123456789abcdef", state: "begun" }])
  const error = new TrestleError("OUTCOME_UNKNOWN", undefined, { outcome: "unknown" })
  await jobs.end(held.map((job) => [job, { is: "parked", error }]))
  await close()
  return cwd
}

describe("jobs settle", () => {
  test("show names what is undecided, and prints the commands", async () => {
    const cwd = await undecided()
    const { stdout } = await jobs(cwd, "show", "f1")
    expect(stdout).toContain("nobody knows whether step pay now (pay) has happened")
    expect(stdout).toContain("  npx trestle jobs settle f1 --step 'pay now' --not-happened --why '<how you know>'\n")
    expect(json(await jobs(cwd, "show", "f1", "--json")).undecided).toEqual([{ step: "pay now", operation: "pay", isSilent: false }])
    expect((await jobs(cwd, "show", "p1")).stdout).toContain("  npx trestle jobs settle p1 --happened --answer '<its answer, as JSON>'")
  })
  test("a step that has happened: the flow goes on, and its history says who knew it and how", async () => {
    const cwd = await undecided()
    writeFileSync(join(cwd, "receipt.json"), '{ "number": 7 }')
    const said = ["--happened", "--answer", "@receipt.json", "--why", "on the statement", "--by", "ada"]
    expect(await jobs(cwd, "settle", "f1", "--step", "pay now", ...said)).toMatchObject({ code: 0, stderr: "f1 goes on\n" })
    const { stdout } = await jobs(cwd, "show", "f1")
    expect(stdout).toMatch(/^state +waiting$/m)
    expect(stdout).toMatch(/^\S+Z +settled by ada: step pay now has happened: on the statement$/m)
  })
  test("a deferred write: done, or to be sent again", async () => {
    const cwd = await undecided()
    expect(await jobs(cwd, "settle", "p1", "--not-happened", "--why", "asked")).toMatchObject({ code: 0, stderr: "p1 goes on\n" })
    expect(await listed(cwd, "--operation", "pay")).toBe("p1 waiting")
    const other = await undecided()
    expect(await jobs(other, "settle", "p1", "--happened", "--answer", '{"number":7}', "--why", "asked")).toMatchObject({
      stderr: "p1 is done\n",
    })
    expect(await listed(other, "--operation", "pay", "--all")).toBe("p1 done")
  })
  test.each<[string, string[], number, string]>([
    ["neither happened nor not", ["--why", "w"], 2, "either --happened or --not-happened"],
    ["no reason", ["--step", "pay now", "--not-happened"], 2, "--why"],
    ["another step", ["--step", "pay", "--not-happened", "--why", "w"], 2, '"pay" is not undecided; these are: pay now'],
    ["no step", ["--not-happened", "--why", "w"], 2, "Undecided: pay now"],
    ["an answer that does not fit", ["--step", "pay now", "--happened", "--answer", '{"number":"x"}', "--why", "w"], 2, "answer.number"],
    ["an answer to what has not happened", ["--step", "pay now", "--not-happened", "--answer", "{}", "--why", "w"], 2, "no answer"],
  ])("%s: refused, and nothing is changed", async (_, args, code, message) => {
    const cwd = await undecided()
    expect(await jobs(cwd, "settle", "f1", ...args)).toMatchObject({ code, stderr: expect.stringContaining(message) })
    expect(await listed(cwd)).toBe("p1 parked, f1 parked")
  })
  test("one that runs: exit 1, and it is left alone", async () => {
    const ran = await jobs(await kept(), "settle", "r1", "--not-happened", "--why", "w")
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("r1 is left alone: it is running") })
  })
})

describe("jobs drop", () => {
  test("not without --yes; --dry-run only looks", async () => {
    const cwd = await kept()
    expect(await jobs(cwd, "drop", "d1")).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") })
    expect(await jobs(cwd, "drop", "d1", "--dry-run")).toMatchObject({ code: 0, stderr: "would remove d1\n" })
    expect(await listed(cwd, "--state", "dead")).toBe("d2 dead, d1 dead")
  })
  test("many by their state", async () => {
    const cwd = await kept()
    expect((await jobs(cwd, "drop", "--state", "parked", "--yes")).code).toBe(0)
    expect(await listed(cwd)).toBe("d2 dead, d1 dead, w1 waiting, r1 running")
  })
})

describe("db, of an application whose work is kept", () => {
  const db = (cwd: string, ...args: string[]): Promise<Ran> => trestle(["db", ...args], { cwd })

  test("before its first start: status says so and makes nothing; migrate makes the tables, once", async () => {
    const cwd = folder({ "app.ts": APP })
    expect(await db(cwd, "status")).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/^store .*store\.db: .* version 0 of \d+/),
    })
    expect(await db(cwd, "migrate", "--dry-run")).toMatchObject({ code: 0, stdout: expect.stringContaining("would bring") })
    expect(existsSync(join(cwd, ".trestle"))).toBe(false)
    expect(await db(cwd, "migrate")).toMatchObject({ code: 0, stdout: expect.stringContaining("brought Trestle's own tables") })
    const { store } = json(await db(cwd, "status", "--json"))
    expect(store.version).toBe(store.wanted)
    expect(await db(cwd, "migrate")).toMatchObject({ code: 0, stdout: "", stderr: "nothing to apply\n" })
  })
})
