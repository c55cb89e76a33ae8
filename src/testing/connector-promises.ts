import type { ConnectorSubject, Scene } from "./connector-subject.ts"
import { inScene } from "./connector-subject.ts"
import { abortPromises } from "./promises-abort.ts"
import { answerPromises } from "./promises-answer.ts"
import { failurePromises } from "./promises-failure.ts"
import { lifePromises } from "./promises-life.ts"

/** One test: its name, and how to run it. Rejects when the promise is broken. */
export interface ConnectorPromise {
  /** `memcached: an answer that is lost → a write is unknown, and was sent once`. */
  readonly name: string
  run(): Promise<void>
}

/** A promise as the groups write it. */
export interface PlannedPromise {
  readonly promise: string
  see(scene: Scene): Promise<void>
}

/**
 * What every connector promises, one test each, run against its real server through a proxy that makes the faults of a network:
 *
 *     for (const { name, run } of connectorPromises(subject)) test(name, run)
 *
 * It opens nothing when declared, answers what was stored, byte for byte and to the right caller, ends its connections, tells `refused` from
 * `unknown`, repeats no write, comes back after a loss, is not filled up by an endless answer, stops where it can, and logs no secret.
 * Those about the network are left out for a connector that has none.
 */
export function connectorPromises(subject: ConnectorSubject): readonly ConnectorPromise[] {
  const hasNetwork = subject.server !== null
  const { undoesLost = false } = subject
  const planned = [
    ...lifePromises(hasNetwork),
    ...answerPromises(subject.conflict),
    ...(hasNetwork ? failurePromises(undoesLost) : []),
    ...abortPromises(hasNetwork, undoesLost),
  ]
  return planned.map(({ promise, see }) => ({ name: `${subject.name}: ${promise}`, run: () => inScene(subject, see) }))
}
