import type { Redactor } from "../base/redact.ts"
import type { Environment } from "../config/environment.ts"
import { type LogFileSettings, logFileSettings, logFinding } from "../config/log-settings.ts"
import type { Finding } from "../contract/finding.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { finding } from "../runtime/findings.ts"
import { type Log, type LogOptions, openLog } from "../telemetry/call-log.ts"
import { type HostLogger, missingMethods, openHostLog } from "../telemetry/host-log.ts"

/** What a logger of the host lacks, if there is one. */
export function checkHostLogger(logger: unknown): Finding[] {
  const missing = logger === undefined ? [] : missingMethods(logger)
  if (missing.length === 0) return []
  const message = `the logger given to start() has no ${missing.map((name) => `\`${name}\``).join(", ")}`
  return [finding("TRS1034", null, message, "Give one that takes fields and a message, as pino does: app.start({ log: host.log }).")]
}

/** The application's log: its own, in the form that fits the environment, or the host's logger. */
export function openLogFor(
  { name, environment, redactor }: { name: string; environment: Environment; redactor: Redactor },
  host: HostLogger | undefined,
  more: Partial<LogOptions> = {},
): Log {
  const wanted = environment.get("TRESTLE_LOG")?.value
  const level = wanted === "debug" || wanted === "warn" || wanted === "error" ? wanted : "info"
  if (host && wanted !== "silent") return openHostLog(host, { name, redactor, level, ...more })
  if (wanted === "silent") return openLog({ name, redactor, format: "silent", level, ...more })
  const { file, findings } = logFileSettings(environment)
  if (findings.length > 0) throw refusedLog(findings)
  // A file is read by machines, whatever the environment.
  if (file && more.destination === undefined) return openLogFile(file, environment, { name, redactor, level, ...more })
  return openLog({ name, redactor, format: environment.name === "production" ? "json" : "pretty", level, ...more })
}

function openLogFile(file: LogFileSettings, environment: Environment, options: Omit<LogOptions, "format">): Log {
  try {
    return openLog({ ...options, format: "json", destination: file })
  } catch (error) {
    const why = TrestleError.is(error) && error.note ? error.note : (error as Error).message
    const fix = "Give the right to write there, or name another file: TRESTLE_LOG_FILE=/var/log/app/app.log"
    throw refusedLog([logFinding("TRS3020", `the log file ${file.path} cannot be used: ${why}`, fix, environment)])
  }
}

function refusedLog(findings: readonly Finding[]): TrestleError {
  return new TrestleError("START_REFUSED", findings.map(({ code, message }) => `${code} ${message}`).join("; "), { findings })
}
