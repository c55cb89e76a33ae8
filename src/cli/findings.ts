import { nearest } from "../base/nearest.ts"
import { excerptAt, pathOf } from "../base/source-excerpt.ts"
import type { SourcePlace } from "../base/source-place.ts"
import { LOG_FINDINGS } from "../config/log-settings.ts"
import type { Finding } from "../contract/finding.ts"
import { EXIT, Stop } from "./exit.ts"

interface FindingKind {
  readonly title: string
  /** Why it is refused. */
  readonly why: string
}

/** What the command line itself can find. The declarations' own are in `runtime/findings.ts`. */
export const CLI_FINDINGS = {
  TRS3000: { title: "wrong usage", why: "" },
  TRS3001: {
    title: "placeholder in production",
    why: "Its answers are made up. In production somebody would believe them, so each one must be accepted with a reason.",
  },
  TRS3002: { title: "no application found", why: "Without the file that declares the operations there is nothing to work on." },
  TRS3003: { title: "application does not load", why: "The file stopped with an error before its operations could be read." },
  TRS3004: {
    title: "no application in the file",
    why: "The command line looks for what `trestle({ ... })` gave, under `app` or as the default.",
  },
  TRS3005: { title: "address cannot be listened on", why: "A server needs its port and host for itself." },
  TRS3006: { title: "call failed", why: "The operation, or what stands between it and this command, answered with an error." },
  TRS3007: { title: "API keys cannot be used", why: "Keys decide who may call, so a file that is not sound is never guessed at." },
  TRS3008: { title: "file cannot be written", why: "Nothing was changed." },
  TRS3009: { title: "file kept as it is", why: "What you wrote is never overwritten." },
  TRS3010: { title: "database cannot be opened", why: "Which tables it has can neither be seen nor changed." },
  TRS3012: { title: "not verified", why: "Nobody has seen it work with this contract." },
  TRS3013: { title: "breaking change", why: "Callers built against the earlier document would fail." },
  TRS3014: { title: "file out of date", why: "Who compiles against it compiles against an application that is not there any more." },
  TRS1041: { title: "application out of reach", why: "Only the running process knows how it stands with its services." },
  TRS3015: { title: "service out of reach", why: "Every call that needs it fails, or is answered by a fallback." },
  TRS3016: {
    title: "certificate that proves nothing",
    why: "Without a valid certificate anybody could answer in the service's place, so nothing is sent.",
  },
  TRS3017: { title: "credential not accepted", why: "The service is there, and answers no call of ours." },
  TRS3018: { title: "service that is not as declared", why: "What the declaration says of it does not hold." },
  ...LOG_FINDINGS,
  TRS3021: {
    title: "fallback that does not answer",
    why: "It was declared for the moment in which the service before it fails, and in that moment callers get an error all the same.",
  },
  TRS3022: {
    title: "write that may have its effect twice",
    why: "After a failure nobody knows whether it has happened; who sends it again without a promise of the service pays, mails or books twice.",
  },
  TRS3023: { title: "not tried whole", why: "What was not tried may be broken, and nobody would know." },
  TRS3024: { title: "nothing to try it on", why: "Its faults are made on a real server for tests, and there is none." },
  TRS3028: { title: "step that is not undone", why: "The flow says that it has failed, and a part of it has happened all the same." },
} as const satisfies Record<string, FindingKind>

/** The place of a finding that is about the command itself. */
export const COMMAND_LINE = "command line"

export type CliFindingCode = keyof typeof CLI_FINDINGS

export interface FindingOptions {
  readonly severity?: Finding["severity"]
  readonly place?: SourcePlace | null
  /** Where the value was looked for, when there is no source place. */
  readonly at?: string
}

export function cliFinding(code: CliFindingCode, message: string, fix: string, options: FindingOptions = {}): Finding {
  const { severity = "error", place = null, at = COMMAND_LINE } = options
  const file = place ? pathOf(place) : null
  return {
    code,
    severity,
    message,
    at: place ? `${file}:${place.line}` : at,
    file,
    line: place?.line ?? null,
    excerpt: excerptAt(place),
    why: CLI_FINDINGS[code].why,
    fix,
  }
}

/** Wrong usage, to be thrown. */
export function usage(message: string, fix: string): Stop {
  return new Stop(EXIT.usage, [cliFinding("TRS3000", message, fix)])
}

/** How to correct a name that is none of those known: the one that is most like it, else what is said instead. */
export function didYouMean(wrong: string, known: Iterable<string>, otherwise: string): string {
  const guess = nearest(wrong, known)
  return guess ? `Did you mean "${guess}"?` : otherwise
}
