import type { DeskJob, DroppedJob, JobDesk } from "../durable/job-desk.ts"
import { EXIT } from "./exit.ts"
import { usage } from "./findings.ts"
import type { JobsFlags } from "./jobs.ts"
import { chosen, found, type OpenedDesk, stateOf, withDesk } from "./jobs-desk.ts"
import { countsOf, publicJob } from "./jobs-list.ts"
import { shown } from "./paint.ts"
import type { Report } from "./report.ts"

/** One of the two things that can be done to jobs. */
interface Change {
  readonly verb: "retry" | "drop"
  readonly done: string
  readonly would: string
  apply(desk: JobDesk, jobs: readonly DeskJob[]): Promise<readonly (DeskJob | DroppedJob)[]>
}

const RETRY: Change = { verb: "retry", done: "to be run again", would: "would run again", apply: (desk, jobs) => desk.retry(jobs) }
const DROP: Change = { verb: "drop", done: "removed", would: "would remove", apply: (desk, jobs) => desk.drop(jobs) }
const NAMED_MAX = 10

/** `trestle jobs retry` */
export function retryJobs(ids: readonly string[], flags: JobsFlags): Promise<Report> {
  return change(RETRY, ids, { ...flags, yes: true })
}

/** `trestle jobs drop` */
export function dropJobs(ids: readonly string[], flags: JobsFlags): Promise<Report> {
  return change(DROP, ids, flags)
}

function change(how: Change, ids: readonly string[], flags: JobsFlags): Promise<Report> {
  const isFiltered = flags.all === true || flags.operation !== undefined || flags.state !== undefined
  if (ids.length > 0 ? isFiltered : !isFiltered)
    throw usage(
      `${how.verb} takes the ids of jobs, or --all, --operation and --state`,
      `trestle jobs ${how.verb} --all --operation 'mails.*'`,
    )
  return withDesk(flags, async (opened) => {
    const meant = opened ? await meantBy(opened, ids, flags) : []
    if (meant.length === 0) return reportOf(how, [], { notes: "no such job is kept\n" })
    if (flags.dryRun) return reportOf(how, [], { notes: `${how.would} ${named(meant)}\n`, would: meant })
    if (!flags.yes)
      throw usage(`removing cannot be undone, and would end ${named(meant)}`, "trestle jobs drop ... --yes   (or --dry-run to only look)")
    const changed = await how.apply(opened!.desk, meant)
    return reportOf(how, changed, {
      notes: `${named(changed)} ${how.done}\n${leftOf(changed)}`,
      missed: meant.filter(({ id }) => !changed.some((job) => job.id === id)),
    })
  })
}

async function meantBy(opened: OpenedDesk, ids: readonly string[], flags: JobsFlags): Promise<readonly DeskJob[]> {
  if (ids.length > 0) return found(opened, ids)
  const meant: DeskJob[] = []
  const state = stateOf(flags)
  for await (const job of chosen(opened, flags, state === "*" ? "dead" : state)) meant.push(job)
  return meant
}

interface Told {
  readonly notes: string
  readonly would?: readonly DeskJob[]
  /** Those that could not be changed. */
  readonly missed?: readonly DeskJob[]
}

function reportOf({ verb, done }: Change, changed: readonly DeskJob[], { notes, would, missed = [] }: Told): Report {
  const left = missed.length === 0 ? "" : `${named(missed)} not ${done}: they run, are done, or have changed at this moment\n`
  return {
    exit: missed.length > 0 ? EXIT.found : EXIT.ok,
    summary: { [verb]: changed.length, missed: missed.length, ...(would ? { would: would.length, ...countsOf(would) } : {}) },
    json: { jobs: (would ?? changed).map(publicJob), missed: missed.map(publicJob) },
    notes: `${changed.length > 0 || would || missed.length === 0 ? notes : ""}${left}`,
  }
}

function leftOf(dropped: readonly (DeskJob | DroppedJob)[]): string {
  const left = dropped.flatMap((job) => ("left" in job ? job.left : []))
  return left.length === 0 ? "" : `not taken back, for it may have been sent: ${left.map(shown).join(", ")}\n`
}

function named(jobs: readonly DeskJob[]): string {
  const ids = jobs.slice(0, NAMED_MAX).map(({ id }) => shown(id))
  return jobs.length > NAMED_MAX ? `${ids.join(", ")} and ${jobs.length - NAMED_MAX} more` : ids.join(", ")
}
