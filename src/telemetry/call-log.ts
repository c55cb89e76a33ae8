import { type Logger, pino } from "pino"
import { type Clock, systemClock } from "../base/clock.ts"
import type { Redactor } from "../base/redact.ts"
import type { CallRecord, EventLog, Recorder } from "../contract/ports.ts"
import { type CallLevel, CallLines, levelOf } from "./call-line.ts"
import type { Destination } from "./destination.ts"
import { escapeAwkward, Timestamps } from "./json-text.ts"
import { PrettyLines } from "./pretty.ts"
import { Sink } from "./sink.ts"

export interface LogOptions {
  /** `json` for production, `pretty` for development, `silent` writes nothing. */
  readonly format: "json" | "pretty" | "silent"
  /** The quietest level that is written. `warn` leaves successes and the mistakes of callers out, and they cost nothing then. */
  readonly level: CallLevel
  readonly redactor: Redactor
  /** The application's name; stands in every JSON line. */
  readonly name: string
  /** A file's path (lines are appended), a file that rotates, or a writer. Default: standard output. */
  readonly destination?: Destination
  /** Dates the events, and rotates the file; calls bring their own time. */
  readonly clock?: Clock
  /** Of the `pretty` format. Default: only on standard output that is a terminal, and not with `NO_COLOR`. */
  readonly colour?: boolean
}

export interface Log {
  readonly recorder: Recorder
  readonly events: EventLog
  /** Resolves when everything written so far is with the operating system, or after 2 s. */
  flush(): Promise<void>
  /** Flushes; later lines are dropped. May be called again. */
  close(): Promise<void>
}

/** From the quietest. */
export const LEVELS = { debug: 0, info: 1, warn: 2, error: 3 } as const
/** Fields that every line has; an event's own field of the same name gets a `_`, for a name given twice is no honest JSON. */
const RESERVED = new Set(["level", "time", "name", "msg", "operation"])

/**
 * The log: one line for each call, and the events of the application through pino. Times are ISO 8601 in UTC, levels are words.
 *
 * Guarantees that a line is one line and valid JSON whatever a caller sends, that known secrets are masked, and that writing neither
 * throws nor blocks. Does not guarantee the last 100 ms of a process that is killed.
 *
 * @throws {TrestleError} `START_REFUSED` when the log file cannot be opened.
 */
export function openLog(options: LogOptions): Log {
  if (options.format === "silent") return SILENT
  const sink = new Sink(options.destination, options.clock)
  const pretty = options.format === "pretty" ? new PrettyLines(options.colour ?? hasColourTerminal(options.destination)) : null
  const write = pretty ? (line: string): void => sink.write(pretty.line(line)) : (line: string): void => sink.write(line)
  const events = eventsOf(options, write)
  return {
    recorder: recorderOf(options, write, events),
    events,
    flush: () => sink.flush(),
    close: () => sink.close(),
  }
}

const nothing = (): void => {}
const SILENT: Log = {
  recorder: { record: nothing },
  events: { info: nothing, warn: nothing, error: nothing },
  flush: async () => {},
  close: async () => {},
}

function recorderOf({ name, redactor, level: quietest }: LogOptions, write: (line: string) => void, events: EventLog): Recorder {
  const lines = new CallLines(name, redactor)
  return {
    record(record: CallRecord): void {
      const level = levelOf(record)
      if (!isLoudEnough(record, level, quietest)) return
      try {
        write(lines.line(record, level))
      } catch (error) {
        // Only a mistake of ours comes here; the call must not suffer for it.
        events.error("a call could not be logged", { reason: error instanceof Error ? error.name : typeof error })
      }
    },
  }
}

/** What went well inside a call is told by the call's own line: who served it, in how many attempts. */
export function isLoudEnough(record: CallRecord, level: CallLevel, quietest: LogOptions["level"]): boolean {
  return LEVELS[level] >= LEVELS[quietest] && (level !== "info" || record.entrance !== "nested")
}

function eventsOf({ name, redactor, level, clock = systemClock }: LogOptions, write: (line: string) => void): EventLog {
  const timestamps = new Timestamps()
  const logger: Logger = pino(
    {
      level,
      base: { name: redactor.text(name) },
      timestamp: () => `,"time":"${timestamps.of(clock.epoch())}Z"`,
      formatters: { level: (label) => ({ level: label }) },
      // pino's own serializer would take the redacted copy of an error for an object of no type.
      serializers: { err: (error: unknown) => error },
    },
    { write: (line) => write(escapeAwkward(line)) },
  )
  const say =
    (method: "info" | "warn" | "error") =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (LEVELS[method] >= LEVELS[level]) logger[method](eventFields(fields, redactor), "%s", redactor.text(message))
    }
  return { info: say("info"), warn: say("warn"), error: say("error") }
}

export function eventFields(fields: Readonly<Record<string, unknown>>, redactor: Redactor): Record<string, unknown> {
  const { error, ...others } = redactor.value(fields) as Record<string, unknown>
  const renamed = Object.entries(others).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, value])
  // `err` is where calls, pino and the tools that read its lines put an error.
  return { ...Object.fromEntries(renamed), ...(error === undefined ? {} : { err: error }) }
}

function hasColourTerminal(destination: Destination | undefined): boolean {
  return destination === undefined && process.stdout.isTTY === true && !process.env.NO_COLOR
}
