import type { Site } from "./backend.ts"
import type { CallContext } from "./call.ts"
import { answeredWith, answerTo, inboxId, keptAnswer, marked } from "./outbox.ts"
import type { Repeat, Service } from "./service.ts"
import { compileSql } from "./sql-compile.ts"
import type { SqlCapabilities, SqlStatements } from "./sql-session.ts"

/** Whether this call may come again, and its database remembers what it has done. */
export function happensOnce(service: Service, site: Site, call: CallContext): boolean {
  return service.outbox === true && site.effect === "write" && site.durable !== null && call.isDurable
}

/** What is run again under the same token has its effect once, where the database remembers what was done. */
export function repeatOfWrites({ outbox }: Service): Repeat {
  return outbox ? { key: "trestle_inbox" } : "none"
}

/** Does something in a transaction, once: whoever comes again with the same intent is given the answer of the first time. */
export async function once(
  work: (statements: SqlStatements) => unknown,
  statements: SqlStatements,
  {
    place,
    name,
    call,
    capabilities,
  }: { readonly place: string; readonly name: string; readonly call: CallContext; readonly capabilities: SqlCapabilities },
): Promise<unknown> {
  const id = inboxId(place, call)
  const isFirst = await statements.run(compileSql(marked(id, call.clock.epoch()), capabilities))
  if (isFirst === 0) {
    const [row] = await statements.many(compileSql(answerTo(id), capabilities))
    call.noteServedBy(name)
    return keptAnswer(row)
  }
  const answer = await work(statements)
  await statements.run(compileSql(answeredWith(id, answer), capabilities))
  return answer
}
