import { systemClock } from "../base/clock.ts"
import type { JobState } from "../contract/job.ts"
import type { DeskJob } from "../durable/job-desk.ts"
import { EXIT } from "./exit.ts"
import { type SeenJob, standingText } from "./job-text.ts"
import type { JobsFlags } from "./jobs.ts"
import { countOf, type OpenedDesk, seen, stateOf, withDesk } from "./jobs-desk.ts"
import { type Colour, paintFor, shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { paragraph, table } from "./table.ts"
import { spanText } from "./time-text.ts"

const COLOURS: Readonly<Partial<Record<JobState, Colour>>> = {
  running: "cyan",
  parked: "yellow",
  dead: "red",
  failed: "red",
  done: "green",
}

/** `trestle jobs list` */
export function listJobs(flags: JobsFlags): Promise<Report> {
  const limit = countOf(flags.limit)
  const state = stateOf(flags)
  return withDesk(flags, async (opened) => {
    const jobs: SeenJob[] = []
    let isMore = false
    for await (const job of opened ? seen(opened, flags, state) : []) {
      isMore = jobs.length === limit
      if (isMore) break
      jobs.push({ job, work: await opened!.desk.workOf(job) })
    }
    const listed = jobs.map(({ job }) => job)
    return {
      exit: EXIT.ok,
      summary: { store: opened?.place ?? null, jobs: jobs.length, isMore, ...countsOf(listed) },
      json: { jobs: listed.map(publicJob) },
      text: jobs.length === 0 ? "" : listText(jobs),
      notes: jobs.length === 0 ? noneText(opened, flags) : isMore ? `only the first ${limit}; --limit shows more\n` : "",
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

/** A state in its colour. */
export function stateText(state: JobState): string {
  const colour = COLOURS[state]
  return colour ? paintFor(process.stdout)(colour, state) : state
}

function listText(jobs: readonly SeenJob[]): string {
  const now = systemClock.epoch()
  const paint = paintFor(process.stdout)
  const heads = ["ID", "OPERATION", "STATE", "AGE"].map((title) => paint("dim", title))
  const rows = jobs.map(({ job: { id, operation, state, createdAt } }) => [
    shown(id),
    operation,
    stateText(state),
    spanText(now - createdAt),
  ])
  const sentences = jobs.map((one) => standingText(one, now))
  const { isTTY, columns } = process.stdout
  // In a pipe a row is a line.
  if (!isTTY) return table([heads, ...rows.map((row, i) => [...row, sentences[i]!])])
  const [head, ...lines] = table([heads, ...rows])
    .trimEnd()
    .split("\n")
  return `${[head, ...lines.flatMap((line, i) => [line, ...under(sentences[i]!, columns)])].join("\n")}\n`
}

function under(sentence: string, width: number): string[] {
  return sentence === "" ? [] : paragraph(sentence, 4, width)
}

function noneText(opened: OpenedDesk | null, { all, state, operation }: JobsFlags): string {
  if (opened === null || all) return "nothing is kept\n"
  return state === undefined && operation === undefined ? "nothing is open; --all shows what is over\n" : "there is none of these\n"
}

function iso(epoch: number | null): string | null {
  return epoch === null ? null : new Date(epoch).toISOString()
}
