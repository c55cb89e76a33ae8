import { dataFolder } from "../assembly/data-folder.ts"
import type { App, Running } from "../assembly/definition.ts"
import { addEvidence, type EvidenceChanges, evidenceFile } from "../assembly/evidence-file.ts"
import { startApp } from "../assembly/start.ts"
import { systemClock } from "../base/clock.ts"
import { systemRandom } from "../base/random.ts"
import { Redactor } from "../base/redact.ts"
import { loadEnvironment } from "../config/environment.ts"
import type { Run } from "../contract/op.ts"
import type { Operation } from "../contract/operation.ts"
import { backendOf, type Sighting } from "../runtime/evidence.ts"
import { collectOperations } from "../runtime/operations.ts"
import { backendParts } from "../runtime/status.ts"
import { openLog } from "../telemetry/call-log.ts"
import { type Detailed, type Verification, verifyOperation } from "./verify-operation.ts"

export interface VerifyOptions {
  readonly withWrites: boolean
  readonly signal: AbortSignal
}

export interface Verified {
  readonly verifications: readonly Verification[]
  /** Why what was seen could not be kept. */
  readonly notKept: string | null
}

/** Starts the application against its real services, tries the operations one after the other, and keeps what was seen. */
export async function verifyAll(app: App<unknown>, operations: readonly Operation[], options: VerifyOptions): Promise<Verified> {
  const environment = loadEnvironment({ folder: process.cwd() })
  const redactor = new Redactor()
  // Every failure is reported here, with its place; the log would say it a second time.
  const log = openLog({ name: app.name, redactor, format: "silent", level: "error" })
  // Callers never get what was answered to the application itself, so it is not remembered for them either.
  const running = await startApp(app, { environment, redactor, log, keptFolder: null })
  const callOf = callersOf(running)
  const named = collectOperations(app.ops, [])
  const run: Run = (operation, input) => {
    const found = named.find(({ op }) => op === operation)
    if (!found) return Promise.reject(new Error("it is not in `ops`"))
    return callOf(found.path)(input, { signal: NEVER }).then(({ value }) => value) as Promise<never>
  }
  const verifications: Verification[] = []
  try {
    for (const operation of operations) {
      if (options.signal.aborted) break
      verifications.push(await verifyOperation(operation, { call: callOf(operation.path), run, redactor, ...options }))
    }
  } finally {
    await running.close()
  }
  const seen = options.signal.aborted ? verifications.filter(({ result }) => result === "held") : verifications
  return { verifications, notKept: await keep(changesOf(seen, operations), evidenceFile(dataFolder(environment))) }
}

/** What was written is taken back even when the command is interrupted. */
const NEVER = new AbortController().signal

function callersOf(running: Running<unknown>): (path: string) => Detailed {
  const internal: unknown = running.internal()
  return (path) => {
    let node = internal
    for (const key of path.split(".")) node = (node as Record<string, unknown>)[key]
    return (node as { detailed: Detailed }).detailed
  }
}

/** What held, with its hash; what did not is not verified any more. A service that was not there takes nothing back. */
function changesOf(verifications: readonly Verification[], operations: readonly Operation[]): EvidenceChanges {
  const epoch = systemClock.epoch()
  const changes: Record<string, { verified: Sighting | null }> = {}
  for (const { operation: path, result, ms, servedBy, isUnreachable } of verifications) {
    const operation = operations.find((one) => one.path === path)!
    const { contractHash: contract } = operation
    const backend = backendOf(backendParts(operation))
    if (result === "held") changes[path] = { verified: { contract, backend, epoch, servedBy: servedBy ?? "", ms: ms ?? 0, count: 1 } }
    if (result === "broken" && !isUnreachable) changes[path] = { verified: null }
  }
  return changes
}

async function keep(changes: EvidenceChanges, file: string): Promise<string | null> {
  if (Object.keys(changes).length === 0) return null
  try {
    await addEvidence(file, changes, { random: systemRandom, pause: (delayMs) => systemClock.pause(delayMs) })
    return null
  } catch (error) {
    return (error as Error).message
  }
}
