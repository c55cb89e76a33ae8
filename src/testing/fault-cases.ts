import { type App, definitionOf } from "../assembly/definition.ts"
import { type Duration, parseDuration } from "../base/duration.ts"
import { checkDeclarations } from "../runtime/check.ts"
import { tryFaults } from "./fault-lab.ts"
import { TestFailure } from "./test-failure.ts"

/** One test: its name, and how to run it. Rejects when a promise is broken, or when that cannot be seen. */
export interface FaultCase {
  /** `users.create: whatever its services do, fallbacks answer, no write is doubled, failed flows are undone`. */
  readonly name: string
  run(): Promise<void>
}

export interface FaultCasesOptions {
  /** Longest that one fault may take. Default `"1m"`. */
  readonly limit?: Duration
}

/**
 * One test for each operation with a backend: lets every service that it asks fail in every way, as `trestle faults` does.
 *
 *     for (const { name, run } of faultCases(app)) test.concurrent(name, run, 120_000)
 *
 * In real time: a service that hangs is waited for, so a test lasts about as long as its operation may take. Meanwhile this process
 * connects to nothing beyond this machine. Services whose connector has no stand-in are left out; where one lacks what its stand-in needs, as
 * PostgreSQL does without `TRESTLE_FAULTS_POSTGRES`, the test fails and says so.
 */
export function faultCases<T>(app: App<T>, { limit }: FaultCasesOptions = {}): readonly FaultCase[] {
  const { ops, defaults = {} } = definitionOf(app)
  const { operations } = checkDeclarations(ops, defaults)
  const limitMs = limit === undefined ? undefined : parseDuration(limit)
  if (limitMs === null) throw new TypeError(`"${limit}" is not a duration such as "1m"`)
  return operations
    .filter(({ declaration }) => declaration.backend !== null)
    .map(({ path }) => ({
      name: `${path}: whatever its services do, fallbacks answer, no write is doubled, failed flows are undone`,
      run: () => seeNoTrouble(app as App<unknown>, path, limitMs),
    }))
}

async function seeNoTrouble(app: App<unknown>, path: string, limitMs: number | undefined): Promise<void> {
  const { rows, doubts } = await tryFaults(app, { operations: [path], ...(limitMs === undefined ? {} : { limitMs }) })
  const troubles = [...rows.flatMap(({ trouble }) => trouble ?? []), ...doubts]
  if (troubles.length > 0) throw new TestFailure(troubles.map(({ message, fix }) => `${message}. ${fix}`).join("\n"))
}
