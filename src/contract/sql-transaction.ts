import type { Common } from "../errors/catalog.ts"
import type { Backend } from "./backend.ts"
import type { Ctx } from "./call.ts"
import type { HasService } from "./service.ts"
import type { SqlText } from "./sql.ts"
import type { Topic } from "./topic.ts"

/** Statements of one transaction. Each is to be awaited before the next; the first that fails ends the transaction. */
export interface Tx<E extends string = string> {
  /** The only row. Without one the transaction ends with `missing`, by default `NOT_FOUND`. */
  one<T = any>(statement: SqlText, missing?: E | Common): Promise<T>
  /** All rows; more than the service's `rowsMax` end the transaction. */
  many<T = any>(statement: SqlText): Promise<T[]>
  /** How many rows were changed. */
  run(statement: SqlText): Promise<number>
  /**
   * Publishes a message with the transaction: it waits in an outbox in the same database, and reaches its consumers when the transaction has
   * been committed, and only then. Of a service with `outbox: true`.
   */
  emit<T, P>(topic: Topic<T, P>, payload: NoInfer<P>): Promise<void>
}

/** What the function of a transaction gets of its call. Other operations are none of its statements, so it cannot run them. */
export type TxCtx<E extends string = string> = Pick<Ctx<E>, "user" | "fail">

/** A database, as far as its transactions are concerned. */
export interface HasTransactions extends HasService {
  /**
   * Runs several statements of which all count, or none. Await nothing in it but its own statements: whatever takes longer holds up every
   * other writer, and is refused. What it throws, an answer that does not fit the contract, and the end of the call roll it back.
   */
  transaction<V, O, E extends string = never>(work: (tx: Tx<NoInfer<E>>, input: V, ctx: TxCtx<E>) => Promise<NoInfer<O>>): Backend<V, O, E>
}
