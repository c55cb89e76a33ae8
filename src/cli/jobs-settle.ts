import { userInfo } from "node:os"
import type { DeskJob, JobDesk } from "../durable/job-desk.ts"
import type { Settled, Settlement } from "../durable/settling.ts"
import { issuesText, TrestleError } from "../errors/trestle-error.ts"
import { inputOf } from "./call-input.ts"
import { EXIT } from "./exit.ts"
import { usage } from "./findings.ts"
import type { SettleFlags } from "./jobs.ts"
import { found, withDesk } from "./jobs-desk.ts"
import { publicJob } from "./jobs-list.ts"
import { shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { undecidedText } from "./undecided-text.ts"

/** `trestle jobs settle` */
export async function settleJob(id: string, flags: SettleFlags): Promise<Report> {
  const settlement = await settlementOf(flags)
  return withDesk(flags, async (opened) => {
    const [job] = opened ? await found(opened, [id]) : []
    if (!job) throw usage(`there is no job "${id}"`, "Nothing is kept here yet.")
    const outcome = await settled(opened!.desk, job, settlement)
    if (typeof outcome === "string") return { exit: EXIT.found, summary: { settled: 0 }, notes: `${shown(id)} is left alone: ${outcome}\n` }
    const { then, left } = outcome
    const now = (await opened!.desk.find(id)) ?? job
    return {
      exit: EXIT.ok,
      summary: { settled: 1, then, undecided: left.length },
      json: { job: publicJob(now), undecided: left },
      notes: `${shown(id)} ${SAID[then]}\n${undecidedText(job, left, flags)}`,
    }
  })
}

const SAID: Readonly<Record<Settled["then"], string>> = {
  again: "goes on",
  done: "is done",
  parked: "stays parked: something else of it is undecided",
}

/** @throws {Stop} wrong usage */
async function settlementOf({ step, happened = false, notHappened = false, answer, why, by }: SettleFlags): Promise<Settlement> {
  if (happened === notHappened) throw usage("say either --happened or --not-happened", "trestle jobs settle <id> --happened --why '...'")
  if (!why?.trim()) throw usage("--why is missing: how you know, for the history", "--why 'no such charge in the list of the bank'")
  if (notHappened && answer !== undefined) throw usage("what has not happened has no answer", "Leave --answer out, or say --happened.")
  const said = { ...(step === undefined ? {} : { step }), by: by ?? userName(), why }
  if (!happened) return { ...said, hasHappened: false }
  return { ...said, hasHappened: true, ...(answer === undefined ? {} : { answer: await inputOf(answer) }) }
}

/** Or why it was left alone. @throws {Stop} wrong usage */
async function settled(desk: JobDesk, job: DeskJob, settlement: Settlement): Promise<Settled | string> {
  try {
    return await desk.settle(job, settlement)
  } catch (error) {
    if (!TrestleError.is(error)) throw error
    if (error.code === "CONFLICT") return error.detail
    if (error.code !== "INVALID") throw error
    throw usage(issuesText(error.issues), `See: trestle jobs show ${shown(job.id)}`)
  }
}

/** A machine may not know who its users are. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return "somebody"
  }
}
