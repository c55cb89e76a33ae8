import { showDuration, showMs } from "../base/duration.ts"
import { unicodeEscape } from "./json-text.ts"

/** A line that was written here; anything may stand in it. */
interface Fields {
  readonly level?: unknown
  readonly time?: unknown
  readonly msg?: unknown
  readonly trace?: unknown
  readonly operation?: unknown
  readonly servedBy?: unknown
  readonly caller?: unknown
  readonly ms?: unknown
  readonly attempts?: unknown
  readonly degraded?: unknown
  readonly ageMs?: unknown
  readonly replayed?: unknown
  readonly repaired?: { readonly count?: unknown; readonly fields?: readonly unknown[] }
  readonly outcome?: unknown
  readonly code?: unknown
  readonly status?: unknown
  readonly reason?: unknown
  readonly note?: unknown
  readonly issues?: readonly unknown[]
  readonly err?: Said
}

interface Said {
  readonly type?: unknown
  readonly message?: unknown
  readonly stack?: unknown
  readonly cause?: unknown
}
type Colour = "red" | "yellow" | "green" | "dim"

const COLOUR_CODES: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2 }
/** Of a text from outside: a line break would forge a line, an escape sequence would command the terminal, a mark of direction would turn the line round. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu
const OWN_EVENT_FIELDS = new Set(["level", "time", "name", "msg"])
const CALLER_WIDTH = 20
const REPAIRS_SHOWN_MAX = 3
const OPERATION_WIDTH = { min: 20, max: 36 }

/**
 * Turns a JSON log line into one for people: `12:03:04.123  200  candidates.register   34 ms  people  ada@x.io  3f2a90c1…`. The time is
 * local. Everything that colour says, a word or number says too. It reads finished lines, so that both formats hold the same fields and are
 * redacted in one place.
 */
export class PrettyLines {
  readonly #hasColour: boolean
  #operationWidth = OPERATION_WIDTH.min

  constructor(hasColour: boolean) {
    this.#hasColour = hasColour
  }

  line(json: string): string {
    const fields = JSON.parse(json) as Fields
    return "operation" in fields ? this.#call(fields) : this.#event(fields)
  }

  #call(fields: Fields): string {
    const operation = shown(fields.operation)
    this.#operationWidth = Math.min(Math.max(this.#operationWidth, operation.length), OPERATION_WIDTH.max)
    const isFailed = fields.outcome !== "ok"
    const colour = fields.level === "error" ? "red" : fields.level === "warn" || isFailed ? "yellow" : "green"
    const columns = [
      this.#paint("dim", localTime(fields.time)),
      this.#paint(colour, shown(fields.status ?? "ok").padEnd(5)),
      operation.padEnd(this.#operationWidth),
      duration(Number(fields.ms)).padStart(7),
      shown(fields.servedBy).padEnd(14),
      cut(shown(fields.caller ?? "-"), CALLER_WIDTH).padEnd(CALLER_WIDTH),
      isFailed ? this.#paint(colour, failure(fields)) : this.#paint("dim", `${shown(fields.trace).slice(0, 8)}…`),
    ]
    if (fields.replayed === true) columns.push(this.#paint("dim", "replayed"))
    if (fields.degraded !== undefined) columns.push(this.#paint("yellow", degraded(fields)))
    if (fields.repaired !== undefined) columns.push(this.#paint("yellow", repaired(fields.repaired)))
    if (Number(fields.attempts) > 1) columns.push(`services asked ${fields.attempts} times`)
    if (isFailed) columns.push(this.#paint("dim", `trace ${shown(fields.trace)}`))
    return `${columns.join("  ")}\n${fields.code === "INTERNAL" ? this.#stack(fields.err) : ""}`
  }

  #event(fields: Fields): string {
    const level = shown(fields.level)
    const colour = level === "error" ? "red" : level === "warn" ? "yellow" : "dim"
    const rest = Object.entries(fields).filter(([key]) => !OWN_EVENT_FIELDS.has(key) && key !== "err")
    const pairs = rest.map(([key, value]) => `${shown(key)}=${shown(typeof value === "string" ? value : JSON.stringify(value))}`)
    const error = fields.err
    const said = error ? [shown(`${error.type}: ${error.message}`)] : []
    const head = [this.#paint("dim", localTime(fields.time)), this.#paint(colour, level.padEnd(5)), shown(fields.msg)]
    const tail = pairs.length > 0 ? [this.#paint("dim", pairs.join(" "))] : []
    return `${[...head, ...said, ...tail].join("  ")}\n${error && level === "error" ? this.#stack(error) : ""}`
  }

  #stack(error: Said | undefined): string {
    const lines = String(innermost(error)?.stack ?? "").split("\n")
    return lines.map((line) => `${this.#paint("dim", `    ${shown(line)}`)}\n`).join("")
  }

  #paint(colour: Colour, text: string): string {
    return this.#hasColour ? `\u001b[${COLOUR_CODES[colour]}m${text}\u001b[0m` : text
  }
}

function failure(fields: Fields): string {
  const why = [fields.code, fields.reason].filter(Boolean).map(shown).join(" ")
  const said = fields.note ?? (Array.isArray(fields.issues) ? fields.issues.join("; ") : undefined) ?? innermost(fields.err)?.message
  // The message of a TrestleError begins with its code, which is there already.
  const text = shown(said ?? "").replace(`${shown(fields.code)}: `, "")
  return `${why}${fields.code === "OUTCOME_UNKNOWN" ? " (may have happened)" : ""}${text ? `: ${text}` : ""}`
}

/** Of an error that wraps another, the inner one: it says what happened and names the line. */
function innermost(error: Said | undefined): Said | undefined {
  let inner = error
  while (isSaid(inner?.cause)) inner = inner.cause
  return inner
}

function degraded(fields: Fields): string {
  const age = fields.ageMs === undefined ? "" : `, ${duration(Number(fields.ageMs))} old`
  return `degraded (${shown(fields.degraded)}${age})`
}

function repaired({ count, fields = [] }: NonNullable<Fields["repaired"]>): string {
  const named = fields.slice(0, REPAIRS_SHOWN_MAX).map(shown).join(", ")
  return `repaired ${shown(count)} (${named}${fields.length > REPAIRS_SHOWN_MAX ? ", …" : ""})`
}

function duration(ms: number): string {
  if (ms < 0.095) return `${ms.toFixed(2)} ms`
  return ms < 9_999.5 ? showMs(ms) : showDuration(ms).replace(/(?=[smh]$)/, " ")
}

function localTime(time: unknown): string {
  const date = new Date(String(time))
  const two = (part: number): string => String(part).padStart(2, "0")
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`
}

function shown(value: unknown): string {
  return String(value).replace(CONTROLS, unicodeEscape)
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}

function isSaid(value: unknown): value is Said {
  return typeof value === "object" && value !== null && "message" in value
}
