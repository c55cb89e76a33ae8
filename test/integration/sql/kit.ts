// What the tests of all SQL databases have in common.
import { onTestFinished } from "vitest"
import { startApp } from "../../../src/assembly/start.ts"
import type { Clock } from "../../../src/base/clock.ts"
import type { CallRecord } from "../../../src/contract/ports.ts"
import { type Running, type Sql, trestle } from "../../../src/index.ts"
import { FakeClock } from "../../../src/testing/fake-clock.ts"
import { rememberingLog, standInReferences, testEnvironment } from "../../../src/testing/stand-ins.ts"

/** A SQL database that the shared tests look at. */
export interface SqlSubject {
  /** A started application over a database of its own, with the tables notes and marks. */
  worldOf<T extends object>(make: (db: Sql) => T, options?: { rowsMax?: number }): Promise<World<T>>
  /** What its note says of a value that is there already. */
  readonly unique: string
}

export interface World<T> {
  readonly running: Running<T>
  readonly ask: any
  readonly records: readonly CallRecord[]
  /** What the operator would read of the last call. */
  lastNote(): string | undefined
}

/** A started application with these operations, on a clock that stands still unless another is given. */
export async function begun<T extends object>(
  ops: T,
  { clock = new FakeClock(), values = {} }: { clock?: Clock; values?: Readonly<Record<string, string>> } = {},
): Promise<World<T>> {
  const records: CallRecord[] = []
  const running = await startApp(trestle({ name: "world", ops, defaults: { deadline: "60s" } }), {
    environment: testEnvironment,
    references: standInReferences(values),
    log: rememberingLog(records),
    keptFolder: null,
    clock,
  })
  onTestFinished(() => running.close())
  return { running, ask: running.internal(), records, lastNote: () => records.at(-1)?.error?.note }
}
