import { describe, expect, test } from "vitest"
import { seededRandom } from "../base/random.ts"
import type { JobEnd } from "../contract/job.ts"
import { REASONS, type Reason } from "../errors/reasons.ts"
import { invalid, TrestleError } from "../errors/trestle-error.ts"
import type { HeldJob } from "./job-record.ts"
import { boundedEnd, endBeforeRun, type Repeating, verdictOf } from "./verdict.ts"

const endAfter = (error: TrestleError | null): JobEnd["is"] => verdictOf({ error, output: 1, jobEnd: null }).is
const because = (reason: Reason): TrestleError => new TrestleError("X", undefined, { reason })
const held = (more: Partial<HeldJob> = {}): HeldJob => ({
  id: "a",
  kind: "message",
  operation: "x",
  orderKey: null,
  blocks: false,
  attempts: 1,
  fence: 1,
  followsUnknown: false,
  isOrdered: false,
  putAt: 0,
  isExpired: false,
  trace: "t",
  contractHash: "h",
  body: { input: null, principal: null, isOwnAuthority: true, idempotencyKey: "k", keepMs: 0 },
  history: [],
  ...more,
})
const repeating = (more: Partial<Repeating> = {}): Repeating => ({ times: 10, backoffMs: 1_000, mayRepeat: true, ...more })
const DAY_MS = 86_400_000
const LONGEST = { next: () => 1, hex: () => "" }
const bounded = (error: TrestleError, job: Partial<HeldJob> = {}, how: Partial<Repeating> = {}, random = seededRandom(1), ageMs = DAY_MS) =>
  boundedEnd({ is: "failed", error }, held(job), { repeating: repeating(how), random, ageMs })

describe("after a run", () => {
  test("an answer → done", () => expect(verdictOf({ error: null, output: 5, jobEnd: null })).toEqual({ is: "done", answer: 5 }))
  test("what the backend says of it comes first", () => {
    const jobEnd = { is: "suspended", delayMs: 1, why: "w" } as const
    expect(verdictOf({ error: invalid([]), output: 1, jobEnd })).toBe(jobEnd)
  })
  test("every reason: what was answered is over, everything else is tried again, a service that does not take our credential too", () => {
    for (const reason of Object.keys(REASONS) as Reason[])
      expect(endAfter(because(reason)), reason).toBe(reason === "answered" ? "dead" : "failed")
  })
  test.each(["INVALID", "TOO_LARGE"])("%s → dead at once, for the input stays as it is", (code) =>
    expect(endAfter(new TrestleError(code))).toBe("dead"),
  )
  test.each(["FORBIDDEN", "UNAUTHENTICATED"])("%s → a person decides", (code) => expect(endAfter(new TrestleError(code))).toBe("parked"))
  test.each(["CANCELLED", "PENDING"])("%s → again, and not counted", (code) => expect(endAfter(new TrestleError(code))).toBe("suspended"))
  test("a write that was cut off after it was sent → tried again only where it may be", () => {
    const cut = new TrestleError("OUTCOME_UNKNOWN", undefined, { reason: "cancelled-sent" })
    expect([bounded(cut).is, bounded(cut, {}, { mayRepeat: false }).is]).toEqual(["failed", "parked"])
  })
})

describe("how often", () => {
  const refused = because("not-connected")
  test("the last of its times → dead; the one before → again", () =>
    expect([bounded(refused, { attempts: 9 }).is, bounded(refused, { attempts: 10 }).is]).toEqual(["failed", "dead"]))
  test("what was refused → again, though the write may not be repeated", () =>
    expect(bounded(refused, {}, { mayRepeat: false }).is).toBe("failed"))
  test("pauses: from nothing to twice the one before, and at most ten minutes", () => {
    const pauses = [1, 2, 3, 9, 40].map((attempts) => bounded(refused, { attempts }, { times: 99 }, LONGEST))
    expect(pauses.map((end) => (end as { delayMs: number }).delayMs)).toEqual([1_000, 2_000, 4_000, 256_000, 600_000])
    expect(bounded(refused, {}, {}, { next: () => 0, hex: () => "" })).toMatchObject({ delayMs: 0 })
  })
  test("a service that names a time → no sooner", () => {
    const later = new TrestleError("X", undefined, { reason: "rate-limited", retryAfterMs: 90_000 })
    expect(bounded(later)).toMatchObject({ delayMs: 90_000 })
  })
  test("what is not a failure → stays as it is", () => {
    const end = { is: "done", answer: 1 } as const
    expect(boundedEnd(end, held({ attempts: 99 }), { repeating: repeating(), random: seededRandom(1), ageMs: 0 })).toBe(end)
  })
})

describe("a message whose service is away", () => {
  const endOf = (reason: Reason, ageMs: number, job: Partial<HeldJob> = {}) =>
    bounded(because(reason), { attempts: 10, ...job }, {}, LONGEST, ageMs)
  test.each(["not-connected", "circuit-open", "bulkhead-full", "rate-limited", "credential-rejected"] as const)(
    "%s → waits for a day, then it is one of its times",
    (reason) => {
      expect(endOf(reason, DAY_MS - 1)).toMatchObject({ is: "failed", isOfNoFault: true })
      expect(endOf(reason, DAY_MS)).toMatchObject({ is: "dead" })
    },
  )
  test("the pause is a tenth of its age: no less than the first, at most ten minutes", () => {
    const pauses = [0, 60_000, DAY_MS - 1].map((ageMs) => (endOf("not-connected", ageMs) as { delayMs: number }).delayMs)
    expect(pauses).toEqual([1_000, 6_000, 600_000])
  })
  test("what may have happened, and what is not understood, is one of its times", () =>
    expect([endOf("server-error", 0).is, endOf("request-not-mapped", 0).is]).toEqual(["dead", "dead"]))
  test("a run by schedule is one of its times: the next run will do", () =>
    expect(endOf("not-connected", 0, { kind: "schedule" as HeldJob["kind"] }).is).toBe("dead"))
})

describe("before a run", () => {
  const endBefore = (job: Partial<HeldJob>, how: Partial<Repeating> = {}): string | undefined => endBeforeRun(held(job), repeating(how))?.is
  test("an ordinary one → is run", () => expect(endBefore({})).toBeUndefined())
  test("one that cannot be read → dead", () => expect(endBefore({ body: null })).toBe("dead"))
  test("one that has expired → dead", () => expect(endBefore({ isExpired: true })).toBe("dead"))
  test("one whose process died: may be repeated → is run; may not → a person decides", () =>
    expect([endBefore({ followsUnknown: true }), endBefore({ followsUnknown: true }, { mayRepeat: false })]).toEqual([undefined, "parked"]))
  test("one whose process died in every run → dead", () =>
    expect([endBefore({ followsUnknown: true, attempts: 10 }), endBefore({ followsUnknown: true, attempts: 11 })]).toEqual([
      undefined,
      "dead",
    ]))
  test("one that a person has ordered → is run, whatever happened before", () =>
    expect(endBefore({ followsUnknown: true, isOrdered: true, attempts: 11 }, { mayRepeat: false })).toBeUndefined())
})
