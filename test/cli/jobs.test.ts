import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
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

describe("jobs list", () => {
  test("nothing kept yet: says so, and makes no store", async () => {
    const cwd = folder({ "app.ts": APP })
    expect(await jobs(cwd, "list")).toEqual({ code: 0, stdout: "", stderr: "nothing is kept\n" })
    expect(existsSync(join(cwd, ".trestle"))).toBe(false)
  })
  test("a table, in the order in which they were put; never what they were given", async () => {
    const { code, stdout } = await jobs(await kept(), "list")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ID +OPERATION +STATE +RUNS +SINCE +LAST\n/)
    expect(stdout).toMatch(/^d1 +scores\.add +dead +1 +\d{4}-\S+Z +dead: UNAVAILABLE: .*\[the CRM is gone\]$/m)
    expect(stdout).not.toContain("4711")
  })
  test("by state and by operation", async () => {
    const cwd = await kept()
    expect(await listed(cwd)).toBe("d1 dead, d2 dead, p1 parked, r1 running, w1 waiting")
    expect(await listed(cwd, "--state", "dead", "--operation", "mails.*")).toBe("d2 dead")
    expect(await listed(cwd, "--operation", "mails")).toBe("d2 dead")
    expect(await listed(cwd, "--limit", "2")).toBe("d1 dead, d2 dead")
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
  test("one that there is not: exit 2", async () =>
    expect(await jobs(await kept(), "show", "x")).toMatchObject({ code: 2, stderr: expect.stringContaining('no job "x"') }))
})

describe("jobs retry", () => {
  test("one by its id", async () => {
    const cwd = await kept()
    expect(await jobs(cwd, "retry", "p1")).toMatchObject({ code: 0, stderr: "p1 to be run again\n" })
    expect(await listed(cwd, "--state", "waiting")).toBe("p1 waiting, w1 waiting")
  })
  test("all: those that are dead, of the operations that are named", async () => {
    const cwd = await kept()
    expect(await jobs(cwd, "retry", "--all", "--dry-run")).toMatchObject({ code: 0, stderr: "would run again d1, d2\n" })
    expect(json(await jobs(cwd, "retry", "--all", "--operation", "scores.*", "--json"))).toMatchObject({
      ok: true,
      summary: { retry: 1 },
      jobs: [{ id: "d1" }],
    })
    expect(await listed(cwd)).toBe("d1 waiting, d2 dead, p1 parked, r1 running, w1 waiting")
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
    expect(stdout).toContain("  trestle jobs settle f1 --step 'pay now' --not-happened --why '<how you know>'\n")
    expect(json(await jobs(cwd, "show", "f1", "--json")).undecided).toEqual([{ step: "pay now", operation: "pay", isSilent: false }])
    expect((await jobs(cwd, "show", "p1")).stdout).toContain("  trestle jobs settle p1 --happened --answer '<its answer, as JSON>'")
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
    expect(await listed(other, "--operation", "pay")).toBe("p1 done")
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
    expect(await listed(cwd)).toBe("f1 parked, p1 parked")
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
    expect(await listed(cwd, "--state", "dead")).toBe("d1 dead, d2 dead")
  })
  test("many by their state", async () => {
    const cwd = await kept()
    expect((await jobs(cwd, "drop", "--state", "parked", "--yes")).code).toBe(0)
    expect(await listed(cwd)).toBe("d1 dead, d2 dead, r1 running, w1 waiting")
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
