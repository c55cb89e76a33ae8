import { parseBytes } from "../base/bytes.ts"
import { parseDuration } from "../base/duration.ts"
import type { Finding } from "../contract/finding.ts"
import { type Environment, placesOf } from "./environment.ts"

/** What can be wrong with the log file; explained with the findings of the command line, where they are seen. */
export const LOG_FINDINGS = {
  TRS3019: { title: "log file setting", why: "A limit that means nothing would be replaced by a guess, and the disk would tell." },
  TRS3020: { title: "log file cannot be used", why: "A start without it would lose every line." },
} as const

export interface LogFileSettings {
  readonly path: string
  readonly bytesMax: number
  readonly everyMs: number
  readonly keepFiles: number
  readonly keepBytes: number
}

export const LOG_FILE_DEFAULTS = { bytesMax: 100 * 1_048_576, everyMs: 86_400_000, keepFiles: 14, keepBytes: 1_073_741_824 } as const
const BYTES_MIN = 65_536
const EVERY_MS_MIN = 60_000

/** `TRESTLE_LOG_FILE`, `TRESTLE_LOG_ROTATE` (`100mb,1d`) and `TRESTLE_LOG_KEEP` (`14,1gb`); null where the log goes to standard output. */
export function logFileSettings(environment: Environment): {
  readonly file: LogFileSettings | null
  readonly findings: readonly Finding[]
} {
  const findings: Finding[] = []
  const path = environment.get("TRESTLE_LOG_FILE")?.value
  if (!path) return { file: null, findings }
  const limits: { -readonly [K in keyof typeof LOG_FILE_DEFAULTS]: number } = { ...LOG_FILE_DEFAULTS }
  for (const part of partsOf("TRESTLE_LOG_ROTATE", environment)) {
    const [bytes, ms] = [parseBytes(part), parseDuration(part)]
    if (bytes !== null && bytes >= BYTES_MIN) limits.bytesMax = bytes
    else if (ms !== null && ms >= EVERY_MS_MIN) limits.everyMs = ms
    else
      findings.push(
        wrong("TRESTLE_LOG_ROTATE", part, "a size from 64kb, a time from 1m, or both: TRESTLE_LOG_ROTATE=100mb,1d", environment),
      )
  }
  for (const part of partsOf("TRESTLE_LOG_KEEP", environment)) {
    const bytes = parseBytes(part)
    if (/^\d+$/.test(part) && Number(part) > 0) limits.keepFiles = Number(part)
    else if (bytes !== null && bytes > 0) limits.keepBytes = bytes
    else findings.push(wrong("TRESTLE_LOG_KEEP", part, "a number of files, a size, or both: TRESTLE_LOG_KEEP=14,1gb", environment))
  }
  return { file: { path, ...limits }, findings }
}

function partsOf(name: string, environment: Environment): string[] {
  const text = environment.get(name)?.value ?? ""
  return text.split(",").flatMap((part) => part.trim() || [])
}

function wrong(name: string, part: string, fix: string, environment: Environment): Finding {
  const source = environment.get(name)!.source
  return logFinding("TRS3019", `${name} (from ${source}) has "${part}"`, `Write ${fix}`, environment)
}

export function logFinding(code: keyof typeof LOG_FINDINGS, message: string, fix: string, environment: Environment): Finding {
  const { why } = LOG_FINDINGS[code]
  return { code, severity: "error", message, at: placesOf(environment), file: null, line: null, excerpt: "", why, fix }
}
