import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { answered } from "../../contract/failure.ts"
import type { Exchange } from "../../contract/service.ts"
import { type SqlText, sql } from "../../contract/sql.ts"
import { compileSql, type SqlStatement } from "../../contract/sql-compile.ts"
import type { SqlCapabilities, SqlRow, SqlSession, SqlTaker } from "../../contract/sql-session.ts"
import { cursorOf, type Position, positionOf } from "./cursor.ts"
import { expectVersion, tagOf } from "./etag.ts"
import { type Resource, type Values, where } from "./resource.ts"

/** What every call of one resource needs to make its answer. */
export interface Place {
  readonly resource: Resource
  readonly site: Site
  readonly session: SqlSession
  readonly capabilities: SqlCapabilities
}

export function placeOf(resource: Resource, site: Site): Place {
  const session = site.connection(resource.table.service) as SqlSession
  return { resource, site, session, capabilities: session.capabilities }
}

/** A statement and what becomes of its rows. Its kinds are classes for the reason of REST's `Listener`. */
interface Reading extends SqlTaker {
  readonly statement: SqlStatement
}

type Prepare = (input: any, call: CallContext, place: Place) => Reading

function bindRead(resource: Resource, site: Site, prepare: Prepare): Answer {
  const place = placeOf(resource, site)
  const exchange: Exchange = {
    prepare: (input, call) => prepare(input, call, place),
    async send(request, attempt) {
      const reading = request as Reading
      return place.session.read(reading.statement, reading, attempt)
    },
  }
  return site.guard(resource.table.service, exchange, { policy: undefined, mayRepeatUnknown: true })
}

/** One row by its key, among those the caller may see. */
export function bindGet(resource: Resource, site: Site): Answer {
  return bindRead(resource, site, (input, call, place) => {
    const { table, id } = resource
    const { capabilities } = place
    const conditions = [...resource.equals({ [id]: input[id] }), ...resource.equals(resource.scopeOf(call))]
    const text = sql`select ${table.selection} from ${table.from}${where(conditions)} limit 1`
    return new OneRow(compileSql(text, capabilities), call, place)
  })
}

class OneRow implements Reading {
  readonly statement: SqlStatement
  readonly #call: CallContext
  readonly #place: Place

  constructor(statement: SqlStatement, call: CallContext, place: Place) {
    this.statement = statement
    this.#call = call
    this.#place = place
  }

  take([row]: readonly SqlRow[]): unknown {
    if (row === undefined) throw answered("NOT_FOUND", {})
    return shown(row, this.#call, this.#place)
  }
}

/** A stored row as the answer of its operation, with its version. @throws {TrestleError} `PRECONDITION_FAILED` */
export function shown(row: SqlRow, call: CallContext, { resource, site, capabilities }: Place): unknown {
  const { table, version } = resource
  const decoded = table.decoded(row, capabilities)
  const tag = tagOf(decoded, version)
  if (call.effect === "read") expectVersion(call, tag)
  call.noteEtag(tag)
  return site.accept(decoded, call, table.service.name)
}

/** A page of rows, in the order of a declared column and, where that is the same, of the key. */
export function bindList(resource: Resource, site: Site, filter: readonly string[]): Answer {
  return bindRead(resource, site, (input, call, place) => {
    const { table } = resource
    const { capabilities } = place
    const wanted: Values = Object.fromEntries(filter.filter((field) => input[field] !== undefined).map((field) => [field, input[field]]))
    const order = orderOf(resource, input.sort)
    const list = JSON.stringify([site.operation, input.sort ?? "", wanted])
    const conditions = [...resource.equals(wanted), ...resource.equals(resource.scopeOf(call))]
    if (input.after !== undefined) conditions.push(beyond(order, positionOf(input.after, list, order.fields.length)))
    // One more than asked for tells whether there is a next page.
    const text = sql`select ${table.selection} from ${table.from}${where(conditions)} order by ${order.by} limit ${input.limit + 1}`
    return new PageOfRows(compileSql(text, capabilities), call, place, { limit: input.limit, list, fields: order.fields })
  })
}

interface PageShape {
  readonly limit: number
  readonly list: string
  readonly fields: readonly string[]
}

class PageOfRows implements Reading {
  readonly statement: SqlStatement
  readonly #call: CallContext
  readonly #place: Place
  readonly #shape: PageShape

  constructor(statement: SqlStatement, call: CallContext, place: Place, shape: PageShape) {
    this.statement = statement
    this.#call = call
    this.#place = place
    this.#shape = shape
  }

  take(rows: readonly SqlRow[]): unknown {
    const { resource, site, capabilities } = this.#place
    const { limit, list, fields } = this.#shape
    const { table } = resource
    const kept = rows.slice(0, limit)
    const last = rows.length > limit ? kept.at(-1) : undefined
    const next = last ? cursorOf(fields.map((field) => last[field]) as unknown as Position, list) : null
    return site.accept({ items: kept.map((row) => table.decoded(row, capabilities)), next }, this.#call, table.service.name)
  }
}

interface Order {
  /** The sorted column, then the key, which decides between equals. */
  readonly fields: readonly string[]
  readonly columns: SqlText
  readonly by: SqlText
  readonly isDescending: boolean
}

function orderOf(resource: Resource, sort: string | undefined): Order {
  const isDescending = sort?.startsWith("-") === true
  const field = sort === undefined ? resource.id : sort.replace(/^-/, "")
  const fields = field === resource.id ? [field] : [field, resource.id]
  const names = fields.map((one) => resource.column(one).name)
  const columns = sql.join(
    names.map((name) => sql`${name}`),
    ", ",
  )
  // Both in the same direction, so that one index serves order and position.
  const by = sql.join(
    names.map((name) => (isDescending ? sql`${name} desc` : sql`${name}`)),
    ", ",
  )
  return { fields, columns, by, isDescending }
}

/** What comes after a row in that order. Unlike `offset`, it stays right when rows are added or removed meanwhile. */
function beyond({ columns, isDescending }: Order, position: Position): SqlText {
  const values = sql.list(position)
  return isDescending ? sql`(${columns}) < (${values})` : sql`(${columns}) > (${values})`
}
