import type { JobEvent, JobState } from "../contract/job.ts"
import type { DeskJob } from "../durable/job-desk.ts"
import { EXIT } from "./exit.ts"
import { usage } from "./findings.ts"
import type { JobsFlags } from "./jobs.ts"
import { chosen, countOf, found, stateOf, withDesk } from "./jobs-desk.ts"
import { type Colour, paintFor, shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { table } from "./table.ts"
import { undecidedText } from "./undecided-text.ts"

const COLOURS: Readonly<Partial<Record<JobState, Colour>>> = { dead: "red", parked: "yellow", done: "green" }

/** `trestle jobs list` */
export function listJobs(flags: JobsFlags): Promise<Report> {
  const limit = countOf(flags.limit)
  const state = stateOf(flags)
  return withDesk(flags, async (opened) => {
    const jobs: DeskJob[] = []
    let isMore = false
    for await (const job of opened ? chosen(opened, flags, state) : []) {
      isMore = jobs.length === limit
      if (isMore) break
      jobs.push(job)
    }
    const more = isMore ? `only the first ${limit}; --limit shows more\n` : ""
    return {
      exit: EXIT.ok,
      summary: { store: opened?.place ?? null, jobs: jobs.length, isMore, ...countsOf(jobs) },
      json: { jobs: jobs.map(publicJob) },
      text: jobs.length === 0 ? "" : table([heads(), ...jobs.map(rowOf)], process.stdout.isTTY ? process.stdout.columns : undefined),
      notes: jobs.length === 0 ? "nothing is kept\n" : more,
    }
  })
}

/** `trestle jobs show` */
export function showJob(id: string, flags: JobsFlags): Promise<Report> {
  return withDesk(flags, async (opened) => {
    const [job] = opened ? await found(opened, [id]) : []
    if (!job) throw usage(`there is no job "${id}"`, "Nothing is kept here yet.")
    const undecided = await opened!.desk.undecided(job)
    return {
      exit: EXIT.ok,
      summary: { store: opened!.place, state: job.state, undecided: undecided.length },
      json: { job: publicJob(job), undecided },
      text: storyOf(job) + undecidedText(job, undecided, flags),
    }
  })
}

/** Times as people write them. */
export function publicJob({
  seq: _,
  fence: __,
  followsUnknown: ___,
  createdAt,
  dueAt,
  expiresAt,
  endedAt,
  history,
  ...job
}: DeskJob): object {
  return {
    ...job,
    createdAt: iso(createdAt),
    dueAt: iso(dueAt),
    expiresAt: iso(expiresAt),
    endedAt: iso(endedAt),
    history: history.map((event) => ({ ...event, at: iso(event.at) })),
  }
}

export function countsOf(jobs: readonly DeskJob[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { state } of jobs) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

function heads(): string[] {
  const paint = paintFor(process.stdout)
  return ["ID", "OPERATION", "STATE", "RUNS", "SINCE", "LAST"].map((title) => paint("dim", title))
}

function rowOf({ id, operation, state, attempts, createdAt, endedAt, history }: DeskJob): string[] {
  const colour = COLOURS[state]
  const named = colour ? paintFor(process.stdout)(colour, state) : state
  const last = history.at(-1)
  // What went before an end that is good is for `show`.
  const text = state === "done" ? `ended ${iso(endedAt)}` : last ? eventText(last) : "-"
  return [shown(id), operation, named, String(attempts), iso(createdAt)!, text]
}

function storyOf(job: DeskJob): string {
  const rows = [
    ["id", shown(job.id)],
    ["operation", job.operation],
    ["kind", job.kind],
    ["state", job.state],
    ["runs", String(job.attempts)],
    ["order key", job.orderKey === null ? "-" : shown(job.orderKey)],
    ["principal", job.principal ? `${job.principal.kind} ${shown(job.principal.id)}` : "-"],
    ["trace", job.trace],
    ["put", iso(job.createdAt)!],
    ["due", iso(job.dueAt) ?? "-"],
    ["expires", iso(job.expiresAt) ?? "-"],
    ["ended", iso(job.endedAt) ?? "-"],
    ["progress", job.progress ? `${job.progress.done} done, then ${shown(job.progress.step)}` : "-"],
  ]
  const events = job.history.length === 0 ? "" : `\n${table(eventRows(job.history))}`
  return `${table(rows)}${events}`
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
  return runs.map(({ text, first, last, times }) => [iso(first)!, times === 1 ? text : `${text} (${times} times, last ${iso(last)})`])
}

function eventText({ what, by, why, code }: JobEvent): string {
  // A message begins with its code already.
  const head = by === undefined ? what : `${what} by ${by}`
  return shown(why === undefined ? `${head}${code === undefined ? "" : ` ${code}`}` : `${head}: ${why}`)
}

function iso(epoch: number | null): string | null {
  return epoch === null ? null : new Date(epoch).toISOString()
}
