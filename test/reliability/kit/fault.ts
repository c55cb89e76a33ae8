// One row of the table of outcomes: a failure at a real server, and what the rules make of it.
import { startApp } from "../../../src/assembly/start.ts"
import type { CallRecord } from "../../../src/contract/ports.ts"
import { isReference } from "../../../src/contract/reference.ts"
import { type Backend, type Policy, type Rest, type Running, type TrestleOptions, trestle } from "../../../src/index.ts"
import { rememberingLog, testEnvironment } from "../../../src/testing/stand-ins.ts"

export interface Thing {
  readonly id: string
  readonly name: string
}

/** A read, or a write with what its service promises about a repeat. */
export type Kind = "read" | "write" | "natural" | "keyed"

/** The same answer from one service, by calls of each kind. */
export type Calls = Partial<Record<Kind, Backend<any, any, "GONE">>>

/** A real server with one thing wrong. */
export interface FaultyServer extends AsyncDisposable {
  /** Declares a service at this server, `faulty` by name. Once for each application. */
  declare(policy: Policy): Calls
  /** The same with the service itself, of which another may be a replica. */
  declareService?(policy: Policy): { service: Rest; calls: Calls }
  /** The fault begins, after the start: a database that cannot be opened lets no application start. Absent where it is there from the outset. */
  begin?(): void | Promise<void>
  /** How often a request of this kind has arrived there; for a database: how often the write has been kept. */
  arrived(kind: Kind): number
  /** Looks for what `arrived` gives. Absent where it knows without looking. */
  count?(): Promise<void>
  /** From now on everything is well. */
  mend(): void | Promise<void>
}

export interface FaultRow {
  /** In the words of the rules. */
  readonly rule: string
  readonly fault: string
  readonly outcome: "refused" | "unknown" | "answered"
  /** What a reader hears; a writer too, unless the outcome is unknown. */
  readonly code: string
  /** Another attempt could go better. Default: yes, unless it is an answer. */
  readonly isTransient?: boolean
  /** The request, or its effect, gets to the server. Default: yes. */
  readonly arrives?: boolean
  readonly feedsBreaker: boolean
  /** Those to whom it can happen. Default: all. */
  readonly kinds?: readonly Kind[]
  open(): Promise<FaultyServer>
}

export interface Expected {
  readonly code: string
  readonly outcome: string
  readonly attempts: number
  readonly arrived: number
}

export const RETRIES = 2

/**
 * The rules themselves, in six lines: to its caller a failed read is refused; an unknown write says so; what is an answer, or could not go
 * better, is not repeated; after `unknown` only what the service promises to take twice; after `refused` always.
 */
export function expectedOf({ outcome, code, isTransient = outcome !== "answered", arrives = true }: FaultRow, kind: Kind): Expected {
  const isUnknownWrite = outcome === "unknown" && kind !== "read"
  const isRepeated = isTransient && !(outcome === "unknown" && kind === "write")
  const attempts = isRepeated ? 1 + RETRIES : 1
  return {
    code: isUnknownWrite ? "OUTCOME_UNKNOWN" : code,
    outcome: outcome === "unknown" && kind === "read" ? "refused" : outcome,
    attempts,
    arrived: arrives ? attempts : 0,
  }
}

/** A started application on real time and real sockets; `records` has what each call said of its end. */
export interface Started extends AsyncDisposable {
  readonly running: Running<any>
  /** Calls by name, without rules about callers. */
  readonly ask: any
  readonly records: readonly CallRecord[]
}

/** What references stand for. Addresses without a password are written out instead, with their ports. */
export const values: Map<string, string> = new Map()

export async function started(ops: object, more: Pick<TrestleOptions<object>, "authenticate" | "defaults"> = {}): Promise<Started> {
  const records: CallRecord[] = []
  const running = await startApp(trestle({ name: "reliability", ops, ...more }), {
    environment: testEnvironment,
    references: {
      read: (reference) => (isReference(reference) ? (values.get(reference.ref) ?? "") : (reference as string)),
    },
    log: rememberingLog(records),
    keptFolder: null,
  })
  return { running, ask: running.internal(), records, [Symbol.asyncDispose]: () => running.close() }
}
