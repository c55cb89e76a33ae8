import type { Finding } from "../contract/finding.ts"

/** What the process's exit code says; the same for every verb. */
export const EXIT = {
  /** Done, and nothing was found. */
  ok: 0,
  /** Ran, and found problems. */
  found: 1,
  /** Wrong usage: verb, flag, operation, input. */
  usage: 2,
  /** The application, or its configuration, does not load or start. */
  noLoad: 3,
  /** A backend, or the server that was to be called, cannot be reached or gave no answer that can be trusted. */
  unreachable: 4,
  /** Refused: authentication or permission. */
  refused: 5,
  /** The called operation failed with an error of its own. */
  failed: 6,
  /** A mistake in Trestle. */
  bug: 70,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a verb early: with an exit code, and findings that say why and what to do. */
export class Stop extends Error {
  override readonly name = "Stop"
  readonly exit: ExitCode
  readonly findings: readonly Finding[]

  constructor(exit: ExitCode, findings: readonly Finding[]) {
    super(findings.map(({ message }) => message).join("; "))
    this.exit = exit
    this.findings = findings
  }
}
