import { type App, definitionOf } from "../assembly/definition.ts"
import type { Operation } from "../contract/operation.ts"
import { checkDeclarations } from "../runtime/check.ts"
import { FaultBench, servicesTried } from "./fault-bench.ts"
import { rehearsedCalls } from "./fault-calls.ts"
import { absentees, groundHere } from "./fault-ground.ts"
import { tryOperation } from "./fault-operation.ts"
import type { FaultRow, FaultTrouble } from "./fault-row.ts"
import { onLoopbackOnly } from "./loopback.ts"

/** What is tried, and how patiently. */
export interface FaultOptions {
  /** Paths of operations. Default: all. */
  readonly operations?: readonly string[]
  /** Only what this service does to them. Default: all. */
  readonly service?: string
  /** Longest that one row may take, in milliseconds. Default one minute. */
  readonly limitMs?: number
  /** Ends it early: what has not been tried by then is not tried. */
  readonly signal?: AbortSignal
  /** Hears how far it is. */
  readonly progress?: (done: number, of: number) => void
}

export interface FaultReport {
  /** In the order of the operations, their services, and the faults of each. */
  readonly rows: readonly FaultRow[]
  /** Operations that ask no service. */
  readonly withoutService: readonly string[]
  /** What could not be known, once for each operation; what lacks for a service to be tried, once for each. */
  readonly doubts: readonly FaultTrouble[]
}

/**
 * Tries every operation with every fault that its services can have, each in an application started for it, with the declared policies,
 * mappings and deadlines, over real sockets and in real time. Resolves no reference, keeps nothing, connects to nothing beyond this
 * machine. Code of the application runs. What a stand-in needs beside this process, such as a database server for tests, is named by
 * variables that begin with `TRESTLE_FAULTS_`.
 *
 * @throws {TrestleError} `START_REFUSED` when the application does not start.
 */
export function tryFaults(app: App<unknown>, options: FaultOptions = {}): Promise<FaultReport> {
  const { ops, defaults = {} } = definitionOf(app)
  const { operations } = checkDeclarations(ops, defaults)
  const ground = groundHere()
  return onLoopbackOnly(async () => {
    const calls = await rehearsedCalls(operations, defaults)
    const services = servicesTried(app, operations)
    const absent = await absentees(services, ground)
    const bench = new FaultBench(app, operations, { ...options, defaults, calls, services, absent, references: ground.references })
    try {
      await bench.warmUp()
      return await reportOf(bench, operations, options.operations)
    } finally {
      bench.close()
    }
  }, ground.host)
}

async function reportOf(bench: FaultBench, operations: readonly Operation[], paths: readonly string[] | undefined): Promise<FaultReport> {
  const wanted = paths && new Set(paths)
  const chosen = operations.filter(({ path }) => !wanted || wanted.has(path))
  const tried = await Promise.all(chosen.map((operation) => tryOperation(bench, operation)))
  const rows = tried.flatMap((one) => one.rows)
  return {
    rows,
    withoutService: chosen.filter((_, i) => tried[i]!.isWithoutService).map(({ path }) => path),
    doubts: [...tried.flatMap(({ doubt }) => doubt ?? []), ...bench.lacksOf(rows)],
  }
}
