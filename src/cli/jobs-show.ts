import { systemClock } from "../base/clock.ts"
import { Redactor } from "../base/redact.ts"
import type { JournaledError } from "../contract/journal.ts"
import type { JournalStep } from "../durable/job-steps.ts"
import { EXIT } from "./exit.ts"
import { usage } from "./findings.ts"
import { eventRows, heldUpText, nextOf, progressText, type SeenJob, workText } from "./job-text.ts"
import type { ShowFlags } from "./jobs.ts"
import { found, withDesk } from "./jobs-desk.ts"
import { publicJob, stateText } from "./jobs-list.ts"
import { type Colour, paintFor, shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { table } from "./table.ts"
import { fromNow, momentText } from "./time-text.ts"
import { undecidedText } from "./undecided-text.ts"

const STEP_COLOURS: Readonly<Record<JournalStep["state"], Colour>> = {
  began: "yellow",
  deferred: "yellow",
  undoing: "yellow",
  done: "green",
  failed: "red",
  undone: "dim",
}

/** `trestle jobs show` */
export function showJob(id: string, flags: ShowFlags): Promise<Report> {
  return withDesk(flags, async (opened) => {
    const [job] = opened ? await found(opened, [id]) : []
    if (!job) throw usage(`there is no job "${id}"`, "Nothing is kept here yet.")
    const { desk, place } = opened!
    const undecided = await desk.undecided(job)
    const steps = (await desk.steps(job)).map((step) => told(step, flags.answers ?? false))
    const work = await desk.workOf(job)
    return {
      exit: EXIT.ok,
      summary: { store: place, state: job.state, undecided: undecided.length },
      json: { job: publicJob(job), waitsFor: work && publicJob(work), steps, undecided },
      text: storyOf({ job, work }, steps) + undecidedText(job, undecided, flags),
    }
  })
}

/** Answers may be secret: they are shown only to whoever asks for them, and never with what is known to be secret. */
function told({ answer, ...step }: JournalStep, withAnswer: boolean): JournalStep {
  return withAnswer && answer !== undefined ? { ...step, answer: new Redactor().value(answer) } : step
}

function storyOf(seen: SeenJob, steps: readonly JournalStep[]): string {
  const width = process.stdout.isTTY ? process.stdout.columns : undefined
  const part = (title: string, rows: readonly (readonly string[])[]): string =>
    rows.length === 0 ? "" : `\n${paintFor(process.stdout)("dim", title)}\n${table(rows, width)}`
  const { history } = seen.job
  return `${table(factsOf(seen), width)}${part("STEPS", steps.map(stepRow))}${part("HISTORY", eventRows(history))}`
}

/** What says nothing is left out. */
function factsOf({ job, work }: SeenJob): (readonly string[])[] {
  const now = systemClock.epoch()
  const moment = (epoch: number | null): string => (epoch === null ? "" : `${momentText(epoch)}, ${fromNow(epoch, now)}`)
  const { id, operation, kind, state, progress, attempts, orderKey, principal, trace } = job
  const rows: (readonly string[])[] = [
    ["id", shown(id)],
    ["operation", operation],
    ["kind", kind],
    ["state", stateText(state)],
    ["progress", progress ? progressText(progress) : ""],
    ["turn", heldUpText(job)],
    ["waits for", work ? workText(work, now) : ""],
    nextOf(job, now),
    ["runs", attempts === 0 ? "" : String(attempts)],
    ["order key", orderKey === null ? "" : shown(orderKey)],
    ["principal", principal ? `${principal.kind} ${shown(principal.id)}` : ""],
    ["trace", trace],
    ["put", moment(job.createdAt)],
    ["expires", moment(job.expiresAt)],
    ["ended", moment(job.endedAt)],
  ]
  return rows.filter(([, fact = ""]) => fact !== "")
}

function stepRow(step: JournalStep): string[] {
  const { name, what, state, undoes, servedBy, work, error } = step
  const colour = STEP_COLOURS[state]
  const inner = /^\d+$/.test(name) ? "" : `: ${name}`
  const details = [
    servedBy === null ? "" : `by ${servedBy}`,
    work === null ? "" : `by the work ${work}`,
    error === null ? "" : errorText(error),
    "answer" in step ? JSON.stringify(step.answer) : "",
  ]
  const detail = details.filter((one) => one !== "").join("; ")
  return [shown(undoes === null ? name : `undo ${undoes}${inner}`), shown(what), paintFor(process.stdout)(colour, state), shown(detail)]
}

/** That it was an answer the code says already. */
function errorText({ code, detail, note, outcome }: JournaledError): string {
  return note === undefined || note === outcome ? `${code}: ${detail}` : `${code}: ${detail} [${note}]`
}
