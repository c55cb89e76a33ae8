// R6: a call that hangs somewhere is answered at its deadline, over HTTP, and what it had asked is told.
import { request } from "undici"
import { started } from "../kit/fault.ts"
import { DEADLINE_MS, type HangPoint } from "./hang-points.ts"

/** What may come on top of a deadline. */
export const GRACE_MS = 250

export interface HangFigures {
  readonly point: string
  /** Problem codes that callers heard. */
  readonly codes: readonly string[]
  readonly slowestMs: number
  /** `null`, or what was still under way. */
  readonly leftover: string | null
}

/** So many calls at once that all hang in that place. */
export async function hangAt(point: HangPoint, parallel: number): Promise<HangFigures> {
  await using hanging = await point.open()
  await using app = await started(hanging.ops, { authenticate: hanging.authenticate ?? [] })
  const { url } = await app.running.listen({ port: 0 })
  await hanging.begin?.(app.ask)
  // Connections to the application are made beforehand: their making is not the application's time.
  await Promise.all(Array.from({ length: parallel }, () => request(`${url}/health/live`).then(({ body }) => body.dump())))
  const results = await Promise.all(Array.from({ length: parallel }, () => timed(`${url}/things/7`, hanging.method ?? "GET")))
  const leftover = await hanging.seenCancelled().then(
    () => null,
    (error: Error) => error.message,
  )
  return {
    point: point.name,
    codes: [...new Set(results.map(({ code }) => code))],
    slowestMs: Math.max(...results.map(({ ms }) => ms)),
    leftover,
  }
}

export function isInTime({ slowestMs, leftover }: HangFigures, graceMs: number = GRACE_MS): boolean {
  return slowestMs <= DEADLINE_MS + graceMs && leftover === null
}

async function timed(url: string, method: "GET" | "POST"): Promise<{ code: string; ms: number }> {
  const startedAt = performance.now()
  const { body } = await request(url, { method })
  const { code } = (await body.json()) as { code: string }
  return { code, ms: performance.now() - startedAt }
}
