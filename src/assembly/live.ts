import type { Clock } from "../base/clock.ts"
import type { Random } from "../base/random.ts"
import type { Operation } from "../contract/operation.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { Log } from "../telemetry/call-log.ts"
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

/** Where every call's end is told; outside production that is the log alone. */
export function recordingOf({ recorder }: Log, live: LiveEvidence | null): (call: CallRecord) => void {
  if (!live) return (call) => recorder.record(call)
  return (call) => {
    recorder.record(call)
    live.note(call)
  }
}
