import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { answered, failure } from "../../contract/failure.ts"
import { boundMap, mappingNote } from "../../contract/mapping.ts"
import type { Policy } from "../../contract/policy.ts"
import type { Attempt, Exchange, Service } from "../../contract/service.ts"
import { isSqlText, type SqlText } from "../../contract/sql.ts"
import { compileSql, type SqlStatement } from "../../contract/sql-compile.ts"
import { happensOnce, once } from "../../contract/sql-once.ts"
import {
  answerOfConstraint,
  type ConstraintCodes,
  type SqlCapabilities,
  type SqlRow,
  type SqlSession,
  type SqlStatements,
  type SqlTaker,
} from "../../contract/sql-session.ts"

/** How the result of one statement becomes an answer. */
export interface Shaping {
  readonly rows: "one" | "many" | "none"
  readonly row?: ((row: any, input: any) => unknown) | undefined
  readonly map?: ((changes: number, input: any) => unknown) | undefined
  readonly missing?: string | undefined
  readonly errors?: ConstraintCodes<string> | undefined
  readonly policy?: Policy | undefined
}

/** What all calls of one declared statement share. */
interface Bound {
  readonly service: string
  readonly shaping: Shaping
  /** The declared `row`, which may be a mapping. */
  readonly row: ReturnType<typeof boundMap> | null
  readonly site: Site
}

/** One statement, the same for every attempt, and how its result is understood. A class for the reason of REST's `Listener`. */
class Prepared implements SqlTaker {
  readonly statement: SqlStatement
  readonly #input: unknown
  readonly #call: CallContext
  readonly #bound: Bound

  constructor(statement: SqlStatement, input: unknown, call: CallContext, bound: Bound) {
    this.statement = statement
    this.#input = input
    this.#call = call
    this.#bound = bound
  }

  take(rows: readonly SqlRow[], changes: number): unknown {
    const { site, service } = this.#bound
    return site.accept(this.#shaped(rows, changes), this.#call, service)
  }

  #shaped(rows: readonly SqlRow[], changes: number): unknown {
    const { shaping, site, service, row } = this.#bound
    const { map } = shaping
    const input = this.#input
    if (shaping.rows === "one") return this.#only(rows)
    if (shaping.rows === "none" && changes === 0 && shaping.missing !== undefined)
      throw answered(shaping.missing, site.errors, undefined, { note: `${service}: no row was changed` })
    if (shaping.rows === "none") return mapped(site, `${service}: `, () => map?.(changes, input))
    if (row === null) return rows
    return rows.map((one, i) => mapped(site, `${service}: row ${i}: `, () => row(one, input, this.#call)))
  }

  #only(rows: readonly SqlRow[]): unknown {
    const { shaping, site, service, row } = this.#bound
    const only = rows[0]
    if (only === undefined) throw answered(shaping.missing ?? "NOT_FOUND", site.errors, undefined, { note: `${service}: no row` })
    if (rows.length > 1)
      throw failure("answer-misfit", site.effect, {
        note: `${service}: ${rows.length} rows where one is wanted; add \`limit 1\`, or use many`,
      })
    return row ? mapped(site, `${service}: `, () => row(only, this.#input, this.#call)) : only
  }
}

function mapped(site: Site, where: string, map: () => unknown): unknown {
  try {
    return map()
  } catch (cause) {
    throw failure("answer-not-mapped", site.effect, { cause, note: where + mappingNote(cause, "the mapping threw on its answer") })
  }
}

/** Puts one declared statement on an opened database, inside its policies. */
export function bindStatement(service: Service, make: (input: any) => SqlText, shaping: Shaping, site: Site): Answer {
  const session = site.connection(service) as SqlSession
  const row = shaping.row ? boundMap(shaping.row) : null
  const bound: Bound = { service: service.name, shaping, row, site }
  const isRead = site.effect === "read"
  const translated = (thrown: unknown): unknown => answerOfConstraint(thrown, shaping.errors, site.errors)
  const exchange: Exchange = {
    prepare: (input, call) => new Prepared(compiled(make(input), session.capabilities), input, call, bound),
    async send(request, attempt) {
      const prepared = request as Prepared
      const { call } = attempt
      try {
        if (happensOnce(service, site, call)) return await onceInTransaction(prepared, session, attempt, site)
        return await (isRead ? session.read(prepared.statement, prepared, attempt) : session.write(prepared.statement, prepared, attempt))
      } catch (thrown) {
        throw translated(thrown)
      }
    },
  }
  return site.guard(service, exchange, { policy: shaping.policy, mayRepeatUnknown: isRead })
}

/** A write that may come again, with the mark of having been done. */
function onceInTransaction(prepared: Prepared, session: SqlSession, attempt: Attempt, site: Site): Promise<unknown> {
  const { call } = attempt
  const { name, capabilities } = session
  const run = async (statements: SqlStatements): Promise<unknown> => {
    const { rows, changes } = await statements.both(prepared.statement)
    return prepared.take(rows, changes)
  }
  const place = { place: site.origin, name, call, capabilities }
  return session.transaction((statements) => once(run, statements, place), attempt)
}

/** @throws {TypeError} when the declaration gave something else than a statement. */
export function compiled(statement: SqlText, capabilities: SqlCapabilities): SqlStatement {
  if (!isSqlText(statement)) throw new TypeError("a statement is written with the tag sql: sql`select ...`")
  return compileSql(statement, capabilities)
}
