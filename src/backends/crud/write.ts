import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { answered, failure } from "../../contract/failure.ts"
import { typesOf } from "../../contract/schema.ts"
import type { Exchange } from "../../contract/service.ts"
import { type SqlText, sql } from "../../contract/sql.ts"
import { compileSql, type SqlStatement } from "../../contract/sql-compile.ts"
import { happensOnce, once } from "../../contract/sql-once.ts"
import { answerOfConstraint, type SqlCapabilities, type SqlRow, type SqlStatements } from "../../contract/sql-session.ts"
import { expectVersion, tagOf } from "./etag.ts"
import { newKey } from "./key.ts"
import { type Place, placeOf, shown } from "./read.ts"
import { type Resource, type Values, where } from "./resource.ts"

type Work = (statements: SqlStatements) => Promise<unknown>

/** Prepares once per call what runs, in one transaction, once per attempt. */
type Prepare = (input: any, call: CallContext, place: Place) => Work

function bindWrite(resource: Resource, site: Site, prepare: Prepare): Answer {
  const place = placeOf(resource, site)
  const { service } = resource.table
  const exchange: Exchange = {
    prepare: (input, call) => prepare(input, call, place),
    async send(request, attempt) {
      const work = request as Work
      const { call } = attempt
      const { name, capabilities } = place.session
      const marked: Work = (statements) => once(work, statements, { place: site.origin, name, call, capabilities })
      const whole = happensOnce(service, site, call) ? marked : work
      try {
        return await place.session.transaction(whole, attempt)
      } catch (thrown) {
        throw answerOfConstraint(thrown, undefined, site.errors)
      }
    },
  }
  return site.guard(service, exchange, { policy: undefined, mayRepeatUnknown: false })
}

/** Adds a row. The scope's columns are the scope's; a key that was not given is made here if it is text, else by the database. */
export function bindCreate(resource: Resource, site: Site): Answer {
  const makesKey = typesOf(resource.jsonOf(resource.id)).includes("string")
  return bindWrite(resource, site, (input, call, place) => {
    const { id, version } = resource
    const { capabilities } = place
    const scope = resource.scopeOf(call)
    resource.refuseOtherThan(scope, input)
    const values: Record<string, unknown> = { ...(makesKey ? { [id]: newKey(call) } : {}), ...defined(input), ...scope }
    if (version !== undefined) values[version] = 1
    const isKeyKnown = values[id] !== undefined
    if (!isKeyKnown && !capabilities.returning)
      throw failure("request-not-mapped", "write", {
        note: `${resource.table.service.name}: cannot tell the key that it gives; let create take ${id}`,
      })
    const insert = compileSql(sql`${insertion(resource, values)}${giving(resource, capabilities)}`, capabilities)
    const select = capabilities.returning ? null : selection(resource, resource.equals({ [id]: values[id] }), capabilities)
    return async (statements) => {
      const inserted = await statements.many(insert)
      const [row] = select ? await statements.many(select) : inserted
      return shown(row!, call, place)
    }
  })
}

function insertion({ table }: Resource, values: Values): SqlText {
  const fields = Object.keys(values)
  if (fields.length === 0) return sql`insert into ${table.from} default values`
  const names = fields.map((field) => sql`${table.columns.get(field)!.name}`)
  const bound = fields.map((field) => table.encoded(field, values[field]))
  return sql`insert into ${table.from} (${sql.join(names, ", ")}) values (${sql.list(bound)})`
}

function giving({ table }: Resource, { returning }: SqlCapabilities): SqlText {
  return returning ? sql` returning ${table.selection}` : sql``
}

/** Changes the sent columns of one row, if it is of the expected version; others keep their values. */
export function bindUpdate(resource: Resource, site: Site): Answer {
  return bindWrite(resource, site, (input, call, place) => {
    const { table, id, version } = resource
    const { capabilities } = place
    const scope = resource.scopeOf(call)
    const { [id]: key, ...given } = input as Record<string, unknown>
    resource.refuseOtherThan(scope, given)
    const conditions = ownRow(resource, key, scope)
    const select = selection(resource, conditions, capabilities)
    const sets = Object.entries(defined(given)).map(
      ([field, value]) => sql`${resource.column(field).name} = ${table.encoded(field, value)}`,
    )
    if (version !== undefined && sets.length > 0) {
      const { name } = resource.column(version)
      sets.push(sql`${name} = ${name} + 1`)
    }
    const update =
      sets.length === 0 ? null : compileSql(sql`update ${table.from} set ${sql.join(sets, ", ")}${where(conditions)}`, capabilities)
    return async (statements) => {
      const before = await expectedRow(resource, select, { statements, call, capabilities })
      if (update === null) return shown(before, call, place)
      await statements.run(update)
      const [after] = await statements.many(select)
      return shown(after ?? before, call, place)
    }
  })
}

/** Removes one row, if it is of the expected version. */
export function bindRemove(resource: Resource, site: Site): Answer {
  return bindWrite(resource, site, (input, call, place) => {
    const { table, id } = resource
    const { capabilities } = place
    const conditions = ownRow(resource, input[id], resource.scopeOf(call))
    const select = selection(resource, conditions, capabilities)
    const remove = compileSql(sql`delete from ${table.from}${where(conditions)}`, capabilities)
    return async (statements) => {
      await expectedRow(resource, select, { statements, call, capabilities })
      await statements.run(remove)
      return site.accept(undefined, call, table.service.name)
    }
  })
}

function ownRow(resource: Resource, key: unknown, scope: Values): SqlText[] {
  return [...resource.equals({ [resource.id]: key }), ...resource.equals(scope)]
}

/** Held until the end of the transaction, so that its version cannot change between the look and the change. */
function selection({ table }: Resource, conditions: readonly SqlText[], capabilities: SqlCapabilities): SqlStatement {
  const held = capabilities.locksRows ? sql` for update` : sql``
  return compileSql(sql`select ${table.selection} from ${table.from}${where(conditions)}${held}`, capabilities)
}

async function expectedRow(
  { table, version }: Resource,
  select: SqlStatement,
  { statements, call, capabilities }: { statements: SqlStatements; call: CallContext; capabilities: SqlCapabilities },
): Promise<SqlRow> {
  const [row] = await statements.many(select)
  if (row === undefined) throw answered("NOT_FOUND", {})
  expectVersion(call, tagOf(table.decoded(row, capabilities), version))
  return row
}

/** Without the fields that were not sent. */
function defined(given: Values): Values {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
