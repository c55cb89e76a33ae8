import { type NotKept, seeThatItIsKept } from "../../base/kept-value.ts"
import type { Site } from "../../contract/backend.ts"
import { isOutage } from "../../contract/failure.ts"
import type { Service } from "../../contract/service.ts"
import type { HasTransactions } from "../../contract/sql-transaction.ts"
import type { TrestleError } from "../../errors/trestle-error.ts"
import { misuse, unkept } from "./flow-error.ts"
import { journaled, revived } from "./journaled-error.ts"
import type { FlowRun } from "./run.ts"

/** A transaction as it is asked for. */
interface Asked {
  readonly key: string
  readonly database: HasTransactions
  readonly work: (tx: any) => Promise<unknown>
  readonly undo: ((answer: unknown) => Promise<unknown>) | undefined
}

/**
 * Statements of one database as a step. That it has begun is not written down: the mark that it leaves in the database, with the statements,
 * says after a crash whether they count, and what they gave.
 */
export async function transactionStep(run: FlowRun, asked: Asked): Promise<unknown> {
  const { key, database, undo } = asked
  const service = database["~service"]
  const what = `transaction ${service.name}`
  const known = run.known(key, what)
  if (known?.state === "failed" && run.undoing === null) throw revived(known.error!)
  const answer = known?.state === "done" ? known.value : await carriedOut(run, asked, { key, what })
  run.stepDone(key, undo ? () => undo(answer) : null)
  return answer
}

async function carriedOut(run: FlowRun, asked: Asked, entry: { readonly key: string; readonly what: string }): Promise<unknown> {
  const { call } = run.parts
  seeThatItCan(run, asked.database["~service"])
  await run.seeThatItMayBegin(entry.key)
  run.progressed(entry.key)
  let answer: unknown
  try {
    answer = await bound(run, asked)(undefined, call)
  } catch (thrown) {
    const error = thrown as TrestleError
    run.haltIfStopped()
    // The mark will say whether it was committed, by this run or by the one before: this one may not have come so far as to ask.
    if (error.outcome === "unknown" || (call.followsUnknown && isOutage(error)))
      return run.halt({ is: "failed", error, step: run.labelOf(entry.key) })
    if (run.undoing === null) await run.write([{ ...entry, state: "failed", error: journaled(error) }])
    throw error
  }
  await run.write([{ ...entry, state: "done", value: answer }])
  return answer
}

/** Marked under the flow and the step, so that the same step of another run finds it, whatever the operation is called by then. */
function bound(run: FlowRun, { key, database, work }: Asked): ReturnType<Site["bind"]> {
  const { site, call, durable } = run.parts
  const backend = database.transaction(async (tx) => {
    const answer = await work(tx)
    if (durable !== null) seeThatAnswerIsKept(answer, key, site)
    return answer
  })
  const origin = call.delivery === null ? `${site.origin} ${key}` : `flow ${call.delivery.id} ${key}`
  return backend.plan.bind({ ...site, origin, accept: (answer) => answer })
}

/** While it can still be rolled back. */
function seeThatAnswerIsKept(answer: unknown, key: string, site: Site): void {
  try {
    seeThatItIsKept(answer, `step ${key}: its answer`)
  } catch (thrown) {
    throw unkept(thrown as NotKept, site, "refused")
  }
}

function seeThatItCan({ parts: { flow, site, durable } }: FlowRun, service: Service): void {
  const uses = `uses ${service.name}, which`
  if (!flow.databases.has(service)) throw misuse(`${uses} is not among its databases; declare flow(..., { databases: [...] })`, site)
  if (durable !== null && !service.outbox)
    throw misuse(`${uses} cannot say after a crash whether a transaction was committed; declare it with \`outbox: true\``, site)
}
