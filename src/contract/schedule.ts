import { type CronTimes, parseCron } from "../base/cron.ts"
import { parseDuration, showDuration, whyNoDuration } from "../base/duration.ts"
import type { Declaration } from "./op.ts"

/** More often is no schedule. */
const EVERY_MS_MIN = 1_000

/** The times of `every`, or what is wrong with it. Times of an interval are whole multiples of it, so that every node means the same ones. */
export function scheduleOf(every: NonNullable<Declaration["contract"]["every"]>): CronTimes | { readonly why: string } {
  if (typeof every === "object" && every !== null)
    return typeof every.cron === "string" ? parseCron(every.cron, every.zone ?? "UTC") : { why: "`cron` is not a text" }
  const ms = parseDuration(every)
  if (ms === null) return { why: `"${String(every)}" ${whyNoDuration(every, "15m")}` }
  if (ms < EVERY_MS_MIN) return { why: `${showDuration(ms)} is less than 1 s` }
  const last = (until: number): number => Math.floor(until / ms) * ms
  return { last, next: (after) => last(after) + ms }
}
