import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { NewJob } from "../../src/contract/job.ts"
import type { Store, StoreStatement } from "../../src/contract/store.ts"
import type { StoredEnd } from "../../src/durable/job-ends.ts"
import type { HeldJob } from "../../src/durable/job-record.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { Worker } from "../../src/durable/worker.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { FakeClock } from "../../src/testing/fake-clock.ts"
import { HOUR_MS, memoryStore, newJob, type OpenedStore, remembering } from "./kit.ts"

const DONE: StoredEnd = { is: "done", answer: undefined }
const down = new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected" })

/** A job that runs, until the test says how it ends. */
interface Running {
  readonly job: HeldJob
  readonly end: (end: StoredEnd) => void
  stopped: TrestleError | null
}

/** The units of a store that fail or hang on demand. */
class Faulty implements Store {
  fault: "none" | "refused" | "hangs" = "none"
  readonly units: string[] = []
  readonly #real: Store
  constructor(real: Store) {
    this.#real = real
  }
  readonly name = "store"
  get dialect(): Store["dialect"] {
    return this.#real.dialect
  }
  unit(statements: readonly StoreStatement[]): ReturnType<Store["unit"]> {
    this.units.push(statements[0]!.text.split(" ")[0]!)
    if (this.fault === "hangs") return new Promise(() => {})
    return this.fault === "refused" ? Promise.reject(down) : this.#real.unit(statements)
  }
  read(statement: StoreStatement): ReturnType<Store["read"]> {
    return this.#real.read(statement)
  }
  watch(): () => void {
    return () => {}
  }
  wake(): void {}
  close(): Promise<void> {
    return this.#real.close()
  }
}

let clock: FakeClock
let opened: OpenedStore
let store: Faulty
let jobs: Jobs
let running: Running[]
let ended: string[]
let log: ReturnType<typeof remembering>
const workers: Worker[] = []
beforeEach(async () => {
  clock = new FakeClock()
  opened = await memoryStore(clock)
  store = new Faulty(opened.store)
  jobs = new Jobs({ store, operations: ["scores.add"], epoch: clock.epoch })
  running = []
  ended = []
  log = remembering()
})
afterEach(async () => {
  for (const worker of workers.splice(0)) worker.stop()
  await opened.close()
})

function worker(slots = 4, isShared = false): Worker {
  const made = new Worker({
    jobs,
    clock,
    slots,
    isShared,
    leaseMs: 30_000,
    events: log,
    run(job, end) {
      const one: Running = { job, end, stopped: null }
      running.push(one)
      return {
        stop(why) {
          one.stopped = why
        },
      }
    },
    ended: (job, end) => void ended.push(`${job.id} ${end.is}`),
  })
  workers.push(made)
  return made
}

const settle = (): Promise<void> => clock.advance(0)
const put = async (...ids: readonly string[]): Promise<void> => {
  for (const id of ids) await jobs.put(newJob(id))
}
const ids = (): string[] => running.map(({ job }) => job.id)
const endAll = (end: StoredEnd = DONE): void => {
  for (const one of running.splice(0)) one.end(end)
}

describe("a worker", () => {
  test("started → runs what is there, as many at once as it has slots", async () => {
    await put("a", "b", "c", "d", "e")
    worker().start()
    await settle()
    expect(ids()).toEqual(["a", "b", "c", "d"])
    endAll()
    await settle()
    expect([ids(), ended]).toEqual([["e"], ["a done", "b done", "c done", "d done"]])
  })

  test("told of work → looks at once; told nothing → within a second", async () => {
    const one = worker()
    one.start()
    await settle()
    await put("a")
    one.poke()
    await settle()
    expect(ids()).toEqual(["a"])
    await put("b")
    await clock.advance("1s")
    expect(ids()).toEqual(["a", "b"])
  })

  test("nothing to do → asks less and less often, and only reads", async () => {
    worker().start()
    await clock.advance("5s")
    store.units.length = 0
    await clock.advance("10s")
    expect(store.units).toEqual([])
  })

  test("a job that is due later → is run then", async () => {
    worker().start()
    await jobs.put(newJob("a", { delayMs: 5_000 }))
    await clock.advance("4999ms")
    expect(ids()).toEqual([])
    await clock.advance("1ms")
    await settle()
    expect(ids()).toEqual(["a"])
  })

  test("ends of one turn → are stored as one unit", async () => {
    await put("a", "b", "c")
    worker().start()
    await settle()
    store.units.length = 0
    endAll()
    await settle()
    expect(store.units.filter((word) => word === "delete")).toHaveLength(1)
  })

  test("a job put with a lease → is run without being asked for again; one too many is not taken so", async () => {
    const one = worker(2)
    expect(one.hasRoomFor("scores.add")).toBe(false)
    one.start()
    await settle()
    expect(await Promise.all([one.putAndRun(newJob("a")), one.putAndRun(newJob("b"))])).toEqual(["begun", "begun"])
    expect([ids(), one.hasRoomFor("scores.add")]).toEqual([["a", "b"], false])
    expect(await one.putAndRun(newJob("a"))).toBe("known")
  })

  test("by hand → does what is due, and what comes of it, and nothing before it is told to", async () => {
    const one = worker()
    await put("a")
    one.poke()
    await settle()
    expect(ids()).toEqual([])
    const working = one.work()
    await settle()
    await put("b")
    endAll()
    await settle()
    expect(ids()).toEqual(["b"])
    endAll()
    await working
    expect(ended).toEqual(["a done", "b done"])
  })
})

describe("slots that several operations share", () => {
  const many = Array.from({ length: 20 }, (_, i) => `s${i}`)
  beforeEach(() => {
    jobs = new Jobs({ store, operations: ["scores.add", "mails.send"], epoch: clock.epoch })
  })

  test("one operation hangs → holds three quarters, and the others go on", async () => {
    await put(...many)
    const one = worker(8, true)
    one.start()
    await settle()
    expect(running).toHaveLength(6)
    for (const id of ["m1", "m2", "m3"]) {
      await jobs.put(newJob(id, { operation: "mails.send" }))
      one.poke()
      await settle()
      expect(running.at(-1)!.job.id).toBe(id)
      running.pop()!.end(DONE)
      await settle()
    }
    expect(ended).toEqual(["m1 done", "m2 done", "m3 done"])
  })

  test("what held its share ends → the next of it are taken up at once", async () => {
    await put(...many)
    worker(8, true).start()
    await settle()
    for (let left = many.length; left > 0; left -= 6) {
      expect(running).toHaveLength(Math.min(left, 6))
      endAll()
      await settle()
    }
    expect(ended).toHaveLength(20)
  })

  test("nothing to take but of one that holds its share → asks as seldom as if there were nothing", async () => {
    await put(...many)
    worker(8, true).start()
    await clock.advance("4s")
    store.units.length = 0
    await clock.advance("10s")
    // Leases are renewed meanwhile.
    expect(store.units.filter((word) => word === "with")).toEqual([])
  })
})

describe("a lease", () => {
  test("of a job that takes long → is renewed, and nobody else gets it", async () => {
    await put("a")
    worker().start()
    await clock.advance("10m")
    expect([ids(), running[0]!.stopped, (await jobs.claim(1, HOUR_MS)).jobs]).toEqual([["a"], null, []])
  })

  test.each(["refused", "hangs"] as const)("that cannot be renewed (the store: %s) → the run is stopped before it ends", async (fault) => {
    await put("a")
    worker().start()
    await settle()
    store.fault = fault
    await clock.advance("14s")
    expect(running[0]!.stopped).toBeNull()
    await clock.advance("11s")
    expect(running[0]!.stopped?.code).toBe("CANCELLED")
  })

  test("that was lost → the run is stopped, and its end is not written", async () => {
    await put("a")
    worker().start()
    await settle()
    await store.unit([{ text: "update trestle_jobs set fence = 7 where id = ?", values: ["a"] }])
    await clock.advance("6s")
    expect(running[0]!.stopped?.code).toBe("CANCELLED")
    endAll()
    await settle()
    expect(ended).toEqual([])
    expect(log.told).toEqual([expect.stringContaining("lease of scores.add was lost")])
  })

  test("an end that cannot be stored → is stored when the store is back", async () => {
    await put("a")
    worker().start()
    await settle()
    store.fault = "refused"
    endAll()
    await settle()
    expect(ended).toEqual([])
    store.fault = "none"
    await clock.advance("2s")
    expect(ended).toEqual(["a done"])
  })

  test("a store that is away → is asked again, and told of once", async () => {
    const one = worker()
    one.start()
    await settle()
    store.fault = "refused"
    await put("a").catch(() => undefined)
    one.poke()
    await clock.advance("5s")
    store.fault = "none"
    await put("a")
    await clock.advance("2s")
    expect(ids()).toEqual(["a"])
    expect(log.told).toEqual(["the store cannot be asked for work"])
  })
})

describe("a calendar that jumps an hour ahead", () => {
  test("→ what runs is not taken up again, by one of its key neither; then the next one is", async () => {
    let aheadMs = 0
    const { now, epoch, after, cancel, pause } = clock
    const jumping = await memoryStore({ now, after, cancel, pause, epoch: () => epoch() + aheadMs })
    jobs = new Jobs({ store: jumping.store, operations: ["scores.add"], epoch })
    for (const id of ["a", "b"]) await jobs.put(newJob(id, { orderKey: "k" }))
    await put("c")
    worker().start()
    await settle()
    aheadMs = HOUR_MS
    await clock.advance("1m")
    expect([ids(), running.map(({ stopped }) => stopped)]).toEqual([
      ["a", "c"],
      [null, null],
    ])
    endAll()
    await settle()
    expect([ids(), ended, log.told]).toEqual([["b"], ["a done", "c done"], []])
    await jumping.close()
  })
})

describe("what was kept long enough", () => {
  test("more than one batch of it, and no slot is free → goes all the same, with pauses", async () => {
    const over = 1_200
    await store.unit(Array.from({ length: over }, (_, i) => jobs.putting(newJob(`j${i}`))))
    await store.unit([{ text: "update trestle_jobs set state = 'done', due_at = null, forget_at = 1", values: [] }])
    await put("a")
    worker(1).start()
    await settle()
    const left = async (): Promise<number> =>
      (await store.read({ text: "select count(*) as n from trestle_jobs where state = 'done'", values: [] }))[0]!.n as number
    expect([ids(), await left()]).toEqual([["a"], over - 500])
    await clock.advance("99ms")
    expect(await left()).toBe(over - 500)
    await clock.advance("101ms")
    expect(await left()).toBe(0)
  })
})

describe("a worker that is closed", () => {
  test("→ takes nothing new, and lets what runs come to its end", async () => {
    await put("a")
    const one = worker()
    one.start()
    await settle()
    let isDrained = false
    const drained = one.drained().then(() => {
      isDrained = true
    })
    await put("b")
    await clock.advance("5s")
    expect([ids(), isDrained]).toEqual([["a"], false])
    endAll()
    await drained
    expect([ended, ids()]).toEqual([["a done"], []])
  })

  test("while it claims → gives back what it did not begin", async () => {
    await put("a")
    const one = worker()
    one.start()
    one.stop()
    await settle()
    expect(ids()).toEqual([])
    expect((await jobs.claim(1, HOUR_MS)).jobs).toMatchObject([{ attempts: 1, followsUnknown: false }])
  })
})

describe("a poison message, one in a thousand (R12)", () => {
  test("→ is dead after its runs, and delays no other", async () => {
    const orders: NewJob[] = Array.from({ length: 2_000 }, (_, i) =>
      newJob(`j${i}`, { orderKey: `k${i % 50}`, input: { isPoison: i % 1_000 === 7 } }),
    )
    const runs = new Map<string, number>()
    const waited: number[] = []
    const putAt = clock.now()
    const one: Worker = new Worker({
      jobs,
      clock,
      events: log,
      run(job, end) {
        const { isPoison } = job.body!.input as { isPoison: boolean }
        runs.set(job.id, (runs.get(job.id) ?? 0) + 1)
        if (!isPoison) end(DONE)
        else if (job.attempts < 5) end({ is: "failed", error: down, delayMs: 1_000 * 2 ** job.attempts })
        else end({ is: "dead", error: down })
        return null
      },
      ended: (job, end) => {
        ended.push(`${job.id} ${end.is}`)
        if (end.is === "done") waited.push(clock.now() - putAt)
      },
    })
    workers.push(one)
    await store.unit(orders.map((job) => jobs.putting(job)))
    one.start()
    await clock.advance("1s")
    // Keys without poison: 48 of 50, and what stands before it in its own.
    expect(waited.filter((ms) => ms <= 1_000).length).toBeGreaterThanOrEqual(48 * 40)
    await clock.advance("2m")
    expect([runs.get("j7"), runs.get("j1007")]).toEqual([5, 5])
    expect(ended.filter((end) => end.endsWith("dead"))).toEqual(["j7 dead", "j1007 dead"])
    expect(ended.filter((end) => end.endsWith("done"))).toHaveLength(1_998)
  })
})
