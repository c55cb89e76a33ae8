import { openStoreOf } from "../assembly/store-of.ts"
import { systemClock } from "../base/clock.ts"
import { loadEnvironment } from "../config/environment.ts"
import type { Finding } from "../contract/finding.ts"
import type { JobState } from "../contract/job.ts"
import { type DeskJob, JobDesk } from "../durable/job-desk.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding, didYouMean, usage } from "./findings.ts"
import type { JobsFlags } from "./jobs.ts"
import { loadApp } from "./load-app.ts"
import { matching } from "./targets.ts"

/** The jobs of an application, and what a command line says of which of them it means. */
export interface OpenedDesk {
  readonly desk: JobDesk
  readonly place: string
  /** Paths of the application's operations. */
  readonly operations: readonly string[]
}

const STATES: readonly string[] = ["waiting", "running", "parked", "dead", "done", "failed"]
/** In the order in which people want to see them: what needs them, what is open, what is over. */
const IN_NEED: readonly [JobState, JobState] = ["parked", "dead"]
const OPEN: readonly [JobState, JobState] = ["waiting", "running"]
const OVER: readonly [JobState, JobState] = ["done", "failed"]

/** `null` where nothing is kept. Whatever the store cannot do ends the command. */
export async function withDesk<T>(flags: JobsFlags, work: (opened: OpenedDesk | null) => Promise<T>): Promise<T> {
  const { app } = await loadApp(flags.app)
  try {
    const opened = await openStoreOf(app, loadEnvironment({ folder: process.cwd() }))
    if (opened === null) return await work(null)
    try {
      const { store, place, operations } = opened
      const desk = new JobDesk({ store, epoch: systemClock.epoch, operations })
      return await work({ desk, place, operations: operations.map(({ path }) => path) })
    } finally {
      await opened.close()
    }
  } catch (error) {
    throw storeFailure(error)
  }
}

/** What a store cannot do, as the end of a command. */
export function storeFailure(error: unknown): unknown {
  if (!TrestleError.is(error)) return error
  if (error.findings.length > 0) return new Stop(EXIT.noLoad, error.findings as readonly Finding[])
  const fix = "Correct the address of the store, or the rights on its file and folder."
  return new Stop(EXIT.unreachable, [cliFinding("TRS3010", error.note ?? error.detail, fix)])
}

/** `--limit` of a list. @throws {Stop} wrong usage */
export function countOf(limit: string | undefined): number {
  const count = Number(limit)
  if (Number.isInteger(count) && count >= 1) return count
  throw usage(`--limit is no whole number of at least 1: "${limit}"`, "--limit 100")
}

/** @throws {Stop} wrong usage */
export function stateOf({ state }: JobsFlags): JobState | "*" {
  if (state === undefined) return "*"
  if (STATES.includes(state)) return state as JobState
  throw usage(`there is no state "${state}"`, didYouMean(state, STATES, `There are: ${STATES.join(", ")}`))
}

/** Those of a state and of the operations that the targets name; a target may name an operation that is not there any more. */
export async function* chosen(opened: OpenedDesk, flags: JobsFlags, state: JobState | "*"): AsyncGenerator<DeskJob> {
  const isMeant = meantBy(opened, flags)
  for await (const job of opened.desk.all(state)) if (isMeant(job)) yield job
}

/** The same for a list, the newest first: of a state; without one what needs a person, then what is open; with `--all` what is over, too. */
export async function* seen(opened: OpenedDesk, flags: JobsFlags, state: JobState | "*"): AsyncGenerator<DeskJob> {
  const isMeant = meantBy(opened, flags)
  const groups = flags.all ? [IN_NEED, OPEN, OVER] : [IN_NEED, OPEN]
  for (const group of state === "*" ? groups : [[state, state] as const])
    for await (const job of opened.desk.newest(group)) if (isMeant(job)) yield job
}

function meantBy({ operations }: OpenedDesk, { operation: targets = [] }: JobsFlags): (job: DeskJob) => boolean {
  const wanted = new Set([...matchingSome(targets, operations), ...targets])
  return ({ operation }) => targets.length === 0 || wanted.has(operation)
}

function matchingSome(targets: readonly string[], operations: readonly string[]): readonly string[] {
  const known = targets.filter(
    (target) => target.includes("*") || operations.some((path) => path === target || path.startsWith(`${target}.`)),
  )
  return known.length === 0 ? [] : matching(known, operations)
}

/** @throws {Stop} wrong usage, for one that is not there. */
export async function found({ desk }: OpenedDesk, ids: readonly string[]): Promise<readonly DeskJob[]> {
  const jobs: DeskJob[] = []
  for (const id of ids) {
    const job = await desk.find(id)
    if (job === null) throw usage(`there is no job "${id}"`, "See: trestle jobs list")
    jobs.push(job)
  }
  return jobs
}
