import type { JobEvent, JobProgress, JobState } from "../contract/job.ts"
import type { DeskJob } from "../durable/job-desk.ts"
import { shown } from "./paint.ts"
import { fromNow, momentText } from "./time-text.ts"

/** A job, and what it waits for. */
export interface SeenJob {
  readonly job: DeskJob
  /** The work that it waits for. */
  readonly work: DeskJob | null
}

/** How it stands with a job, in one sentence for a list. */
export function standingText({ job, work }: SeenJob, now: number): string {
  const { state, history, progress, endedAt } = job
  if (state === "done") return `ended ${fromNow(endedAt!, now)}`
  const last = history.at(-1)
  const isOpen = state === "running" || state === "waiting"
  const parts = [
    heldUpText(job),
    isOpen && progress && (progress.undoing || state === "running") ? progressText(progress) : "",
    work ? `waits for ${workText(work, now)}` : last ? lastText(last, state) : "",
    work ? "" : nextOf(job, now).join(" "),
  ]
  return parts.filter((part) => part !== "").join("; ")
}

/** Why it is not its turn; "" where it is. */
export function heldUpText({ heldUpBy }: DeskJob): string {
  if (heldUpBy === null) return ""
  const { id, state } = heldUpBy
  const isStuck = state === "dead" || state === "parked"
  return isStuck ? `held up by ${shown(id)} (${state}): retry or drop it` : `its turn comes after ${shown(id)} (${state})`
}

/** What is done with it next, and when: `next try`, `in 3 min`. Nothing where that is not only a matter of time. */
export function nextOf({ dueAt, heldUpBy, attempts, history }: DeskJob, now: number): readonly [] | readonly [what: string, when: string] {
  if (dueAt === null || heldUpBy !== null) return []
  const last = history.at(-1)?.what
  const isFirst = attempts === 0 && last !== "failed"
  const what = last === "suspended" ? "next look" : isFirst ? "begins" : "next try"
  return [what, dueAt - now < 1_000 ? "now" : fromNow(dueAt, now)]
}

/** Which work that is, and how it stands with it. */
export function workText(work: DeskJob, now: number): string {
  return `${shown(work.id)} (${work.operation}, ${work.state}: ${standingText({ job: work, work: null }, now)})`
}

/** How far it has come: `reserve`, `2 done, then ship`, `undoing charge because of NO_STOCK`. */
export function progressText({ done, step, undoing }: JobProgress): string {
  const name = shown(step)
  if (undoing !== undefined) return `undoing ${name === "" ? "its steps" : name} because of ${shown(undoing)}`
  if (name === "") return `${done} done`
  return done === 0 ? name : `${done} done, then ${name}`
}

/** Work that waits looks again and again: what is alike stands in one row. */
export function eventRows(history: readonly JobEvent[]): string[][] {
  const runs: { text: string; first: number; last: number; times: number }[] = []
  for (const event of history) {
    const text = eventText(event)
    const run = runs.at(-1)
    if (run?.text === text) Object.assign(run, { last: event.at, times: run.times + 1 })
    else runs.push({ text, first: event.at, last: event.at, times: 1 })
  }
  return runs.map(({ text, first, last, times }) => [
    momentText(first),
    times === 1 ? text : `${text} (${times} times, last ${momentText(last)})`,
  ])
}

/** What callers are told says little to whoever looks after it: the note says what it was, and the state stands beside it. */
function lastText(event: JobEvent, state: JobState): string {
  const { what, code, why, step } = event
  const note = /^[A-Z_]+: .*? \[(.*)\]$/s.exec(why ?? "")?.[1]
  const short = code === undefined || note === undefined ? why : `${code}, ${note}`
  if (what === state && step === undefined && short !== undefined) return shown(short)
  return eventText(short === undefined ? event : { ...event, why: short })
}

function eventText({ what, by, why, code, step }: JobEvent): string {
  const named = headOf(what, step)
  // A message begins with its code already.
  const head = by === undefined ? named : `${named} by ${by}`
  return shown(why === undefined ? `${head}${code === undefined ? "" : ` ${code}`}` : `${head}: ${why}`)
}

/** `failed` as a state is the end; as an event it is a run, or a step in it. */
function headOf(what: JobEvent["what"], step: string | undefined): string {
  const of = step === undefined || step.startsWith("undo ") ? step : `step ${step}`
  if (what === "failed") return `${of ?? "run"} failed`
  const word = what === "ended" ? "failed and undone" : what
  return of === undefined ? word : `${word} at ${of}`
}
