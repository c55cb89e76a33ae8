import type { Clock } from "../base/clock.ts"
import type { Random } from "../base/random.ts"
import type { Operation } from "../contract/operation.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { Log } from "../telemetry/call-log.ts"
import { DriftWarnings } from "../telemetry/drift-warnings.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import { addEvidence } from "./evidence-file.ts"
import { LiveEvidence } from "./live-evidence.ts"

export interface LiveParts {
  readonly operations: readonly Operation[]
  readonly file: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Only in production are callers real. */
export function openLive(environment: string, { operations, file, clock, random, log }: LiveParts): LiveEvidence | null {
  if (environment !== "production") return null
  const pause = (delayMs: number): Promise<void> => clock.pause(delayMs)
  return new LiveEvidence({
    operations,
    clock,
    write: (changes) => addEvidence(file, changes, { random, pause }),
    failed: (error) => log.events.warn(`what was seen of the operations cannot be kept in ${file}: ${(error as Error).message}`),
  })
}

/** Warnings of drift, where an operation asks for them. */
export function driftWarningsOf(operations: readonly Operation[], { events }: Log, clock: Clock): DriftWarnings | null {
  const warned = new Set(operations.filter(({ declaration }) => declaration.contract.drift === "warn").map(({ path }) => path))
  return warned.size === 0 ? null : new DriftWarnings(events, clock, (operation) => warned.has(operation))
}

export interface Listeners {
  readonly log: Log
  readonly live: LiveEvidence | null
  readonly metrics: Metrics
  readonly drift: DriftWarnings | null
}

/** Where every call's end is told. */
export function recordingOf({ log: { recorder }, live, metrics, drift }: Listeners): (call: CallRecord) => void {
  return (call) => {
    recorder.record(call)
    metrics.record(call)
    drift?.record(call)
    live?.note(call)
  }
}
