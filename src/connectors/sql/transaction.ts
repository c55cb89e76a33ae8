import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { answered, failure } from "../../contract/failure.ts"
import { outboxed } from "../../contract/outbox.ts"
import type { Exchange, Service } from "../../contract/service.ts"
import type { SqlText } from "../../contract/sql.ts"
import { happensOnce, once } from "../../contract/sql-once.ts"
import { answerOfConstraint, type SqlSession, type SqlStatements } from "../../contract/sql-session.ts"
import type { Tx, TxCtx } from "../../contract/sql-transaction.ts"
import type { Topic } from "../../contract/topic.ts"
import { isCatalogCode } from "../../errors/catalog.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { compiled } from "./exchange.ts"
import type { StatementSpec } from "./index.ts"

type Work = (tx: Tx, input: unknown, ctx: TxCtx) => Promise<unknown>

/** Puts a declared transaction on an opened database, inside its policies. */
export function bindTransaction(service: Service, work: Work, spec: StatementSpec<string>, site: Site): Answer {
  const session = site.connection(service) as SqlSession
  const exchange: Exchange = {
    prepare: (input) => input,
    async send(input, attempt) {
      const { call } = attempt
      let hasEmitted = false
      const run = async (statements: SqlStatements): Promise<unknown> => {
        const tx = new OverseenTx(statements, { session, service, site, call })
        const answer = await tx.finish(work, input)
        hasEmitted = tx.hasEmitted
        return site.accept(answer, call, service.name)
      }
      const { name, capabilities } = session
      const place = { place: site.origin, name, call, capabilities }
      const whole = happensOnce(service, site, call) ? (statements: SqlStatements) => once(run, statements, place) : run
      try {
        const answer = await session.transaction(whole, attempt)
        if (hasEmitted) site.durable?.outboxFilled(service)
        return answer
      } catch (thrown) {
        throw answerOfConstraint(thrown, spec.errors, site.errors)
      }
    },
  }
  return site.guard(service, exchange, { policy: spec.policy, mayRepeatUnknown: site.effect === "read" })
}

/**
 * The statements of one transaction, as its function sees them, and the oversight of that function: it may wait for nothing else.
 *
 * How that is known: after a statement has answered, the function goes on in microtasks, and Node runs all of those before its next round
 * of timers, sockets and `setImmediate`. When that round comes and the function has neither ended nor asked for another statement, it waits
 * for something else. No time is measured, so a busy machine changes nothing.
 */
class OverseenTx implements Tx {
  readonly #statements: SqlStatements
  readonly #session: SqlSession
  readonly #service: Service
  readonly #site: Site
  readonly #call: CallContext
  hasEmitted = false
  #underWay = 0
  #isOver = false
  #failure: { readonly error: unknown } | null = null
  #round: NodeJS.Immediate | null = null
  #refuse!: (error: unknown) => void

  constructor(
    statements: SqlStatements,
    { session, service, site, call }: { session: SqlSession; service: Service; site: Site; call: CallContext },
  ) {
    this.#statements = statements
    this.#session = session
    this.#service = service
    this.#site = site
    this.#call = call
  }

  emit(topic: Topic<any, any>, payload: unknown): Promise<void> {
    return this.#asked(async () => {
      const { durable } = this.#site
      if (durable === null || !this.#service.outbox)
        throw this.#misuse(`emitted a message, and ${this.#service.name} keeps no outbox; declare it with \`outbox: true\``)
      const { principal, trace, isOwnAuthority, random } = this.#call
      const row = durable.outboxed({ id: random.hex(16), topic, payload, trace, principal, isOwnAuthority })
      if (row === null) return
      await this.#statements.run(compiled(outboxed(row), this.#session.capabilities))
      this.hasEmitted = true
    })
  }

  many(statement: SqlText): Promise<any[]> {
    return this.#asked(async () => (await this.#statements.many(compiled(statement, this.#session.capabilities))) as any[])
  }

  run(statement: SqlText): Promise<number> {
    return this.#asked(async () => this.#statements.run(compiled(statement, this.#session.capabilities)))
  }

  one(statement: SqlText, missing = "NOT_FOUND"): Promise<any> {
    return this.#asked(async () => {
      const { name } = this.#session
      const rows = await this.#statements.many(compiled(statement, this.#session.capabilities))
      if (rows.length === 0) throw answered(missing, this.#site.errors, undefined, { note: `${name}: no row` })
      if (rows.length > 1)
        throw failure("answer-misfit", this.#site.effect, { note: `${name}: ${rows.length} rows where one is wanted; add \`limit 1\`` })
      return rows[0]
    })
  }

  /** Runs the function to its end, or to the point where it waits for something else. */
  finish(work: Work, input: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#isOver = true
        if (this.#round !== null) clearImmediate(this.#round)
      }
      this.#refuse = (error) => {
        end()
        reject(error)
      }
      this.#watch()
      begun(work, this, input, this.#call).then(
        (answer) => {
          end()
          if (this.#failure) reject(this.#failure.error)
          else if (this.#underWay > 0) reject(this.#misuse("ended before one of its statements; await each of them"))
          else resolve(answer)
        },
        (thrown) => this.#refuse(this.#failure ? this.#failure.error : this.#classified(thrown)),
      )
    })
  }

  async #run<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#isOver) throw this.#misuse("is over; this statement came too late")
    if (this.#failure) throw this.#failure.error
    this.#underWay++
    try {
      return await ask()
    } catch (thrown) {
      this.#failure ??= { error: thrown }
      throw thrown
    } finally {
      this.#underWay--
      this.#watch()
    }
  }

  #asked<T>(ask: () => Promise<T>): Promise<T> {
    const asked = this.#run(ask)
    // The transaction fails with it, whether anybody awaits it or not.
    asked.catch(() => undefined)
    return asked
  }

  #watch(): void {
    if (this.#isOver || this.#underWay > 0 || this.#round !== null) return
    this.#round = setImmediate(() => {
      this.#round = null
      if (this.#isOver || this.#underWay > 0) return
      this.#refuse(
        this.#misuse(
          "waited for something that is none of its statements; do that before or after it: a transaction holds up every other writer",
        ),
      )
    })
  }

  #misuse(what: string): TrestleError {
    return failure("request-not-mapped", this.#site.effect, {
      note: `${this.#session.name}: the transaction of ${this.#site.operation} ${what}`,
    })
  }

  /** Only errors that this operation may end with pass; `INVALID` would blame the caller for an input that the code made. */
  #classified(thrown: unknown): unknown {
    if (!TrestleError.is(thrown)) return thrown
    const isKnown = isCatalogCode(thrown.code) || Object.hasOwn(this.#site.errors, thrown.code)
    if (isKnown && !(thrown.code === "INVALID" && thrown.reason !== "answered")) return thrown
    return failure("thrown", this.#site.effect, { cause: thrown, note: `the transaction of ${this.#site.operation} threw` })
  }
}

/** A function that throws at once rejects like any other. */
async function begun(work: Work, tx: Tx, input: unknown, call: CallContext): Promise<unknown> {
  const { user, fail } = call.public
  return work(tx, input, { user, fail })
}
