import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext, Stoppable } from "../../contract/call.ts"
import { type Durable, type NewJob, REMEMBERED_MS } from "../../contract/job.ts"
import type { Service } from "../../contract/service.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { Steps } from "../flow.ts"
import { workOf } from "../work.ts"
import { MemoryJournal } from "./memory-journal.ts"
import { FlowRun } from "./run.ts"
import { endOfWork } from "./wait.ts"

/** Runs that end without a decision, such as undo steps that fail: for about two hours, by the pauses between them. */
const TIMES = 30
const DAY_MS = 86_400_000

/** A flow as it was declared. */
export interface DeclaredFlow {
  readonly f: (input: unknown, s: Steps) => Promise<unknown>
  readonly grants: ReadonlySet<unknown>
  readonly databases: ReadonlySet<Service>
  readonly withinMs: number
  readonly isDurable: boolean
}

/**
 * A caller's call puts the flow as a job and waits for its end; the job's own call runs the function. Reads change nothing, so they need no
 * journal and run in their caller's call.
 */
export function bindFlow(flow: DeclaredFlow, site: Site): Answer {
  const durable = flow.isDurable && site.effect === "write" ? site.durable : null
  if (durable === null) return (input, call) => runHere(flow, site, input, call)
  return (input, call) => (call.delivery?.kind === "flow" ? resume(flow, site, durable, input, call) : begin(flow, { site, durable }, call))
}

async function begin({ withinMs }: DeclaredFlow, { site, durable }: { site: Site; durable: Durable }, call: CallContext): Promise<unknown> {
  const job: NewJob = {
    ...workOf("flow", site, call),
    mayRepeat: true,
    times: TIMES,
    lastsMs: 2 * withinMs,
    keepMs: keepMsOf(call, withinMs),
  }
  // Whether it was stored is not known when the store does not say so.
  call.noteSent()
  // A flow that runs another one holds a place that the other may need.
  const begun = await durable.begin(job, call.isDelivered)
  return endOfWork(begun, job.id, call)
}

/** What may be asked for again must be found, or it would be done again: for as long as its key is kept, or whatever has begun it may last. */
function keepMsOf(call: CallContext, withinMs: number): number {
  if (call.isDelivered) return REMEMBERED_MS
  return call.isDurable ? DAY_MS + withinMs : DAY_MS
}

async function resume(flow: DeclaredFlow, site: Site, durable: Durable, input: unknown, call: CallContext): Promise<unknown> {
  const delivery = call.delivery!
  // A run that is stopped from outside, by the end of the process or of its lease, is no failure of the flow.
  const stopping: Stoppable = { stop: ({ note, code }) => call.noteJobEnd({ is: "suspended", delayMs: 0, why: note ?? code }) }
  call.attach(stopping)
  const journal = await durable.journal(delivery)
  const until = delivery.putAt + flow.withinMs
  const end = await new FlowRun({ flow, site, call, journal, durable, until }).run(input)
  call.detach(stopping)
  if (end.is === "done") return end.answer
  if (!call.stopped) call.noteJobEnd(end)
  throw "error" in end ? end.error : new TrestleError("PENDING", undefined, { outcome: "unknown", work: delivery.id, note: end.why })
}

/** Without a store: what cannot be decided stays unknown, for nobody could go on with it later. */
async function runHere(flow: DeclaredFlow, site: Site, input: unknown, call: CallContext): Promise<unknown> {
  const journal = new MemoryJournal()
  const end = await new FlowRun({ flow, site, call, journal, durable: null, until: Number.POSITIVE_INFINITY }).run(input)
  if (end.is === "done") return end.answer
  if ("error" in end) throw end.error
  throw call.stopped ?? new TrestleError("INTERNAL", undefined, { note: end.why })
}
