import { callerPlace } from "../base/source-place.ts"
import { type Answer, backend, type Plan, type Site } from "../contract/backend.ts"
import type { Declaration, Op, Route } from "../contract/op.ts"
import type { Access, Principal } from "../contract/principal.ts"
import { type In, type JsonSchema, nothing, type Std } from "../contract/schema.ts"
import { repeatOfWrites } from "../contract/sql-once.ts"
import { type Table, tableOf } from "../contract/sql-table.ts"
import type { Common } from "../errors/catalog.ts"
import { bindGet, bindList } from "./crud/read.ts"
import { Resource } from "./crud/resource.ts"
import { pageSchema, recordSchema, updateSchema } from "./crud/schemas.ts"
import { bindCreate, bindRemove, bindUpdate } from "./crud/write.ts"

/** One of the five operations. */
export type CrudName = "list" | "get" | "create" | "update" | "remove"

/** One page of a list. */
export interface Page<T> {
  /** In the order that was asked for. */
  items: T[]
  /** Give it as `after` to get the next page; `null` at the end. */
  next: string | null
}

/** What a list takes: equality with the columns of `filter`, an order by one of `sort`, `"-column"` for the other direction. */
export type ListInput<T, F extends keyof T & string, S extends string> = {
  /** Rows of one page, from 1 to `pageMax`. Default 50. */
  limit?: number
  /** `next` of the page before. */
  after?: string
  /** Default: by the key. */
  sort?: S | `-${S}`
} & { [P in F]?: T[P] }

/** The five operations over a table; `only` leaves some of them out. */
export type Crud<T, N, U, K, L> = {
  list: Op<L, L, Page<T>, never, Route>
  get: Op<K, K, T, "NOT_FOUND" | "PRECONDITION_FAILED", Route>
  create: Op<N, N, T, "CONFLICT", Route>
  update: Op<K & U, K & U, T, "NOT_FOUND" | "CONFLICT" | "PRECONDITION_FAILED", Route>
  remove: Op<K, K, void, "NOT_FOUND" | "CONFLICT" | "PRECONDITION_FAILED", Route>
}

/** Which table, as what, for whom. */
export interface CrudOptions<
  T,
  NS,
  US,
  Id extends keyof T & string,
  F extends keyof T & string,
  S extends keyof T & string,
  Only extends CrudName,
> {
  /** Path of the list; `/{id}` after it is one row. */
  http: `/${string}`
  /** Made by the `table` of a SQL service. */
  table: Table<T>
  /** The column that names a row. */
  id: Id
  /** What a new row may say of itself: fields of the table. */
  create: NS
  /** What may be changed; a field that is not sent stays as it is. Usually the partial of `create`. */
  update: US
  /** `read` for `list` and `get`, `write` for the others. */
  allow: { read: Access; write: Access }
  /** Whose rows: columns and their values for this caller. Others' rows are not there for them; new rows get these values. */
  scope?: (who: Principal) => Partial<T>
  /** Instead of a scope: why every caller may name every row. */
  anyObject?: string
  /** Default: all five. */
  only?: readonly Only[]
  /** Columns that a list can be filtered by, for equality. Default: none. */
  filter?: readonly F[]
  /** Columns, never null, that a list can be sorted by. Give each an index together with the key. Default: none but the key. */
  sort?: readonly S[]
  /** A column with a number that every change raises; it becomes the row's `ETag`. Default: a hash of the row. */
  version?: keyof T & string
  /** Most rows of one page, 1 and more. Default 200. */
  pageMax?: number
}

const PAGE_ROWS = 50
const PAGE_ROWS_MAX = 200
const CURSOR_LENGTH_MAX = 4_096

/**
 * A table as a resource: five plain operations, `list`, `get`, `create`, `update` and `remove`, for `ops` like any others.
 *
 * Statements name declared columns only, and every value is bound. `scope` is part of each statement, so a row of somebody else's answers
 * like one that is not there. `get`, `create` and `update` say the version of the row (`ETag`); `If-Match` is compared in the transaction
 * that changes it.
 */
export function crud<
  T,
  NS extends Std<any, any>,
  US extends Std<any, any>,
  const Id extends keyof T & string,
  const F extends keyof T & string = never,
  const S extends keyof T & string = never,
  const Only extends CrudName = CrudName,
>(options: CrudOptions<T, NS, US, Id, F, S, Only>): Pick<Crud<T, In<NS>, In<US>, { [P in Id]: T[P] }, ListInput<T, F, S>>, Only> {
  const at = callerPlace(crud)
  const plain = options as unknown as AnyOptions
  const resource = new Resource(plain, tableOf(options.table))
  const names = plain.only ?? (["list", "get", "create", "update", "remove"] as const)
  const operations = names.map((name, i) => {
    const { route, bind, ...contract } = partOf(name, plain, resource)
    // Said once, not five times.
    const mistakes = i === 0 ? resource.mistakes : []
    const declaration: Declaration = {
      contract: {
        ...contract,
        ...waiverOf(plain),
        http: route,
        allow: name === "list" || name === "get" ? plain.allow.read : plain.allow.write,
      },
      backend: backend("crud", { ...planOf(name, resource), mistakes, bind }),
      at,
    }
    return [name, { "~op": declaration }]
  })
  return Object.fromEntries(operations)
}

/** What can be said of it before it is bound. Only a row that is there has a version to compare. */
function planOf(name: CrudName, { table }: Resource): Omit<Plan, "bind"> {
  const isOfOne = name !== "list" && name !== "create"
  const isWrite = name !== "list" && name !== "get"
  const answers: Common[] = [...(isOfOne ? (["NOT_FOUND"] as const) : []), ...(isWrite ? (["CONFLICT"] as const) : [])]
  const plan = { service: table.service, failures: table.failures, answers } as const
  return { ...plan, ...(isOfOne ? { comparesVersion: true } : {}), ...(isWrite ? { repeat: repeatOfWrites(table.service) } : {}) }
}

type AnyOptions = CrudOptions<any, Std<any, any>, Std<any, any>, string, string, string, CrudName>

interface Part {
  readonly route: Route
  readonly summary: string
  readonly input: Std<any, any>
  readonly output: Std<any, any>
  readonly bind: (site: Site) => Answer
}

function partOf(name: CrudName, options: AnyOptions, resource: Resource): Part {
  const { table, id } = resource
  const list = options.http as `/${string}`
  const one = `${list}/{${id}}` as const
  const key = resource.jsonOf(id)
  const byKey = (): Std<any, any> => recordSchema({ [id]: key }, [id])
  switch (name) {
    case "list":
      return {
        route: `GET ${list}`,
        summary: `Rows of ${table.name}, page by page`,
        input: listSchema(options, resource),
        output: pageSchema(table.row),
        bind: (site) => bindList(resource, site, options.filter ?? []),
      }
    case "get":
      return {
        route: `GET ${one}`,
        summary: `One row of ${table.name}`,
        input: byKey(),
        output: table.row,
        bind: (site) => bindGet(resource, site),
      }
    case "create":
      return {
        route: `POST ${list}`,
        summary: `Add a row to ${table.name}`,
        input: options.create,
        output: table.row,
        bind: (site) => bindCreate(resource, site),
      }
    case "update":
      return {
        route: `PATCH ${one}`,
        summary: `Change a row of ${table.name}`,
        input: updateSchema(id, key, options.update),
        output: table.row,
        bind: (site) => bindUpdate(resource, site),
      }
    case "remove":
      return {
        route: `DELETE ${one}`,
        summary: `Remove a row of ${table.name}`,
        input: byKey(),
        output: nothing,
        bind: (site) => bindRemove(resource, site),
      }
  }
}

function listSchema({ filter = [], sort = [], pageMax = PAGE_ROWS_MAX }: AnyOptions, resource: Resource): Std<any, any> {
  const fields = Object.fromEntries(filter.map((field) => [field, resource.jsonOf(field)]))
  const order: JsonSchema = { type: "string", enum: sort.flatMap((field) => [field, `-${field}`]) }
  return recordSchema({
    ...fields,
    limit: { type: "integer", minimum: 1, maximum: pageMax, default: Math.min(PAGE_ROWS, pageMax) },
    after: { type: "string", maxLength: CURSOR_LENGTH_MAX },
    ...(sort.length > 0 ? { sort: order } : {}),
  })
}

/** The scope answers whose row it must be; without one the application has to say why any will do, or the check finds it. */
function waiverOf({ scope, anyObject }: AnyOptions): { anyObject?: string } {
  if (scope) return { anyObject: "only rows of the caller's scope are found" }
  return anyObject === undefined ? {} : { anyObject }
}
