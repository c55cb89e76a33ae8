import { type Backend, backend } from "../../contract/backend.ts"
import { mappingsAmong } from "../../contract/mapping.ts"
import { type Policy, policyMistakes } from "../../contract/policy.ts"
import type { Std } from "../../contract/schema.ts"
import type { HasService, Service } from "../../contract/service.ts"
import type { SqlText } from "../../contract/sql.ts"
import { repeatOfWrites } from "../../contract/sql-once.ts"
import type { ConstraintCodes } from "../../contract/sql-session.ts"
import { SqlTable, type Table, type TableOptions } from "../../contract/sql-table.ts"
import type { Tx, TxCtx } from "../../contract/sql-transaction.ts"
import { COMMON, type Common } from "../../errors/catalog.ts"
import { bindStatement, type Shaping } from "./exchange.ts"
import { sqlFailures } from "./failures.ts"
import { bindTransaction } from "./transaction.ts"

/** What every statement may say of itself. */
export interface StatementSpec<E extends string> {
  /** Broken rules of a table as our errors: `{ unique: "EMAIL_TAKEN" }`. Default: `unique` and `foreignKey` `CONFLICT`, others `INTERNAL`. */
  errors?: ConstraintCodes<NoInfer<E>>
  /** For this statement. Default: that of the service. */
  policy?: Policy
}

/** Of a statement that gives one row. */
export interface OneSpec<V, O, E extends string> extends StatementSpec<E> {
  /** Their row as our answer. Default: as it is. */
  row?: (row: any, input: V) => NoInfer<O>
  /** When there is no row. Default `NOT_FOUND`. */
  missing?: NoInfer<E> | Common
}

/** Of a statement that gives rows. */
export interface ManySpec<V, O, E extends string> extends StatementSpec<E> {
  /** Each of their rows as one of our answer's items. Default: as it is. */
  row?: (row: any, input: V) => NoInfer<O> extends readonly (infer I)[] ? I : never
}

/** Of a statement that is run for its effect. */
export interface RunSpec<V, O, E extends string> extends StatementSpec<E> {
  /** Our answer, from the number of rows that were changed. Default: none, for an output of `nothing`. */
  map?: (changes: number, input: V) => NoInfer<O>
  /** When no row was changed. Default: that is a success too. */
  missing?: NoInfer<E> | Common
}

/** A SQL database. The same face for each kind of them. */
export interface Sql extends HasService {
  readonly kind: "sql"
  /**
   * Answers with the only row of a statement. On a write, what does not fit the contract undoes the statement, and so does a second row.
   * `statement` gets the validated input and makes the SQL: `(i) => sql\`select ... where id = ${i.id}\``.
   */
  one<V, O, E extends string = never>(statement: (input: V) => SqlText, spec?: OneSpec<V, O, E>): Backend<V, O, E>
  /** Answers with all rows of a statement. More than the service's `rowsMax` are refused, never cut off. */
  many<V, O, E extends string = never>(statement: (input: V) => SqlText, spec?: ManySpec<V, O, E>): Backend<V, O, E>
  /** Runs a statement for its effect. */
  run<V, O, E extends string = never>(statement: (input: V) => SqlText, spec?: RunSpec<V, O, E>): Backend<V, O, E>
  /**
   * Runs several statements of which all count, or none. Await nothing in it but its own statements: whatever takes longer holds up every
   * other writer, and is refused. What it throws, an answer that does not fit the contract, and the end of the call roll it back.
   */
  transaction<V, O, E extends string = never>(
    work: (tx: Tx<NoInfer<E>>, input: V, ctx: TxCtx<E>) => Promise<NoInfer<O>>,
    spec?: StatementSpec<E>,
  ): Backend<V, O, E>
  /** A table, for `crud`: its name, and the schema of its rows, whose fields are its columns. */
  table<T>(name: string, row: Std<any, T>, options?: TableOptions): Table<T>
}

/** The face of a SQL service whose connections are `SqlSession`s. */
export function sqlFace(service: Service): Sql {
  const statement = (make: (input: any) => SqlText, shaping: Shaping): Backend<any, any, any> =>
    backend("sql", {
      service,
      policy: shaping.policy,
      failures: sqlFailures,
      answers: missingOf(shaping),
      mistakes: policyMistakes(shaping.policy ?? {}),
      repeat: repeatOfWrites(service),
      mappings: mappingsAmong(shaping.row),
      heedsDrift: mappingsAmong(shaping.row).length > 0 ? ["warn", "repair"] : [],
      bind: (site) => bindStatement(service, make, shaping, site),
    })
  return {
    kind: "sql",
    "~service": service,
    one: (make, spec = {}) => statement(make, { ...spec, rows: "one" }),
    many: (make, spec = {}) => statement(make, { ...spec, rows: "many" }),
    run: (make, spec = {}) => statement(make, { ...spec, rows: "none" }),
    transaction: (work, spec = {}) =>
      backend("sql", {
        service,
        policy: spec.policy,
        failures: sqlFailures,
        repeat: repeatOfWrites(service),
        mistakes: policyMistakes(spec.policy ?? {}),
        bind: (site) => bindTransaction(service, work as never, spec, site),
      }),
    table: (name, row, options = {}) => new SqlTable(name, { service, row, options, failures: sqlFailures }) as Table<any>,
  }
}

/** Of the common codes, what it answers with when there is no row. */
function missingOf({ rows, missing }: Shaping): readonly Common[] {
  const code = missing ?? (rows === "one" ? "NOT_FOUND" : undefined)
  return code !== undefined && Object.hasOwn(COMMON, code) ? [code as Common] : []
}
