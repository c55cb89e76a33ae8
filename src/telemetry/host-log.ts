import type { CallRecord, EventLog, Recorder } from "../contract/ports.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import { type CallLevel, CallLines, levelOf } from "./call-line.ts"
import { eventFields, isLoudEnough, LEVELS, type Log, type LogOptions } from "./call-log.ts"

/** A logger of the application's host, in the form of pino's: fields first, then the message. Fastify's `host.log` is one. */
export interface HostLogger {
  /** Without one, what is of that level is not said. */
  debug?(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  /** Where there is one, lines that would not be written are not made. */
  isLevelEnabled?(level: string): boolean
}

const METHODS = ["info", "warn", "error"] as const

/** The methods that something given as a logger lacks. */
export function missingMethods(logger: unknown): readonly string[] {
  return METHODS.filter((name) => typeof (logger as Record<string, unknown> | null)?.[name] !== "function")
}

/**
 * The log, handed to the host's logger instead of being written: the same lines as objects, the same secrets masked before they leave.
 * The application's name is in the field `app`, since `name` is often the logger's own. Where they go, and when they are flushed, is
 * the host's business; a logger that throws does not disturb a call.
 */
export function openHostLog(logger: HostLogger, options: Pick<LogOptions, "name" | "level" | "redactor">): Log {
  return { recorder: recorderOf(logger, options), events: eventsOf(logger, options), flush: async () => {}, close: async () => {} }
}

function recorderOf(logger: HostLogger, { name, level: quietest, redactor }: Parameters<typeof openHostLog>[1]): Recorder {
  const lines = new CallLines(name, redactor)
  return {
    record(record: CallRecord): void {
      const level = levelOf(record)
      if (!isLoudEnough(record, level, quietest) || logger.isLevelEnabled?.(level) === false) return
      // The line's own text is read back: one place decides what a line holds and what is masked in it.
      say(logger, level, () => [fieldsOf(lines.line(record, level)), sentenceOf(record)])
    },
  }
}

/** Level and time are the logger's to say. */
function fieldsOf(line: string): object {
  const { level: _level, time: _time, name, ...fields } = JSON.parse(line) as Record<string, unknown>
  return { app: name, ...withNamedError(fields) }
}

/** pino's serializer reads the type of an error off its class; that of an object which is none it would call `Object`. */
function withNamedError<T extends { readonly err?: unknown }>(fields: T): T {
  const { err } = fields
  if (typeof err === "object" && err !== null && "type" in err)
    Object.defineProperties(err, { constructor: { value: undefined }, name: { value: err.type } })
  return fields
}

function sentenceOf({ operation, error }: { operation: string; error: TrestleError | null }): string {
  return error ? `${operation}: ${error.code}` : operation
}

function eventsOf(logger: HostLogger, { name, level: quietest, redactor }: Parameters<typeof openHostLog>[1]): EventLog {
  const write =
    (level: CallLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (LEVELS[level] < LEVELS[quietest]) return
      say(logger, level, () => [{ app: redactor.text(name), ...withNamedError(eventFields(fields, redactor)) }, redactor.text(message)])
    }
  return { info: write("info"), warn: write("warn"), error: write("error") }
}

function say(logger: HostLogger, level: CallLevel, made: () => [object, string]): void {
  try {
    logger[level]?.(...made())
  } catch {
    // There is no other place to say it, and the call must not suffer for it.
  }
}
