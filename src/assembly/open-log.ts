import type { Redactor } from "../base/redact.ts"
import type { Environment } from "../config/environment.ts"
import type { Finding } from "../contract/finding.ts"
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
  const level = wanted === "warn" || wanted === "error" ? wanted : "info"
  if (host && wanted !== "silent") return openHostLog(host, { name, redactor, level, ...more })
  const format = wanted === "silent" ? "silent" : environment.name === "production" ? "json" : "pretty"
  return openLog({ name, redactor, format, level, ...more })
}
