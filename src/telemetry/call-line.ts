import type { Redactor } from "../base/redact.ts"
import type { Meta } from "../contract/call.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { Issue, TrestleError } from "../errors/trestle-error.ts"
import { escapeAwkward, jsonMs, jsonText, QuotedTexts, Timestamps } from "./json-text.ts"

export type CallLevel = "debug" | "info" | "warn" | "error"

const OUTSIDE_LENGTH_MAX = 200
const DECLARED_LENGTH_MAX = 500
const OPERATIONS_MAX = 10_000
/** Of an input that does not fit: enough to answer whoever asks about it, too few to fill the disk with. */
const ISSUES_MAX = 3
/** By the number of attempts; what nearly every line ends with. */
const ENDINGS = Array.from({ length: 8 }, (_, attempts) => `,"attempts":${attempts},"outcome":"ok"}\n`)
const ENDINGS_200 = ENDINGS.map((ending) => ending.replace("}", ',"status":200}'))
const CALLER = '","caller":'
const MS = ',"ms":'
const REPLAYED = ',"replayed":true'
const ANONYMOUS = `${CALLER}null${MS}`

/**
 * How loud the end of a call is: `error` for what someone must look into (`INTERNAL`, `OUTCOME_UNKNOWN`, any other 500), `warn` for a
 * degraded answer and for a system that did not answer (5xx), `info` for success and for the caller's own mistakes (4xx), `debug` for a
 * look at a flow that waits still.
 */
export function levelOf(record: CallRecord): CallLevel {
  const { error } = record
  if (error === null) return record.meta.degraded === false ? "info" : "warn"
  if (error.code === "OUTCOME_UNKNOWN" || error.status === 500) return "error"
  if (error.code === "PENDING" && record.delivery?.isLook) return "debug"
  return error.status > 500 ? "warn" : "info"
}

/** What lines of one operation have in common, encoded once, and what it was made of. */
interface Declared {
  readonly entrance: string
  readonly route: string | null
  readonly servedBy: string
  readonly version: number
  readonly text: string
}

/**
 * Writes one JSON line for a call, by hand: a pino child with the same fields costs several times as much. Every text that is not a
 * literal here goes through the redactor and the JSON encoder. The line of a success is put together from few, mostly known pieces,
 * because each piece is paid for twice: when it is appended and when the batch is made one text.
 */
export class CallLines {
  readonly #redactor: Redactor
  readonly #texts: QuotedTexts
  /** Apart from the others, so that a stream of new callers does not push them out. */
  readonly #callers: QuotedTexts
  readonly #issues: QuotedTexts
  readonly #declared = new Map<string, Declared>()
  readonly #starts = {
    debug: new Timestamps('{"level":"debug","time":"'),
    info: new Timestamps('{"level":"info","time":"'),
    warn: new Timestamps('{"level":"warn","time":"'),
    error: new Timestamps('{"level":"error","time":"'),
  }
  readonly #name: string

  constructor(name: string, redactor: Redactor) {
    this.#redactor = redactor
    this.#texts = new QuotedTexts(redactor, DECLARED_LENGTH_MAX)
    this.#callers = new QuotedTexts(redactor, OUTSIDE_LENGTH_MAX, CALLER, MS)
    this.#issues = new QuotedTexts(redactor, OUTSIDE_LENGTH_MAX)
    this.#name = jsonText(redactor.text(name))
  }

  line(record: CallRecord, level: CallLevel): string {
    const { meta, error, principal } = record
    const caller = principal === null ? ANONYMOUS : this.#callers.get(principal.id)
    const endedAt = record.epoch + (Number.isFinite(meta.ms) ? meta.ms : 0)
    const line = this.#starts[level].of(endedAt) + this.#declaredText(record) + this.#trace(meta.trace) + caller + jsonMs(meta.ms)
    if (error === null && meta.degraded === false && meta.repaired === undefined && !record.isReplayed) return line + ending(record)
    const making = (record.isReplayed ? REPLAYED : "") + this.#degraded(meta) + this.#repaired(meta)
    if (error === null) return line + making + ending(record)
    return `${line}${making},"attempts":${meta.attempts}${this.#failure(record, error, level)}}\n`
  }

  #declaredText(record: CallRecord): string {
    const { operation, entrance, route } = record
    const { servedBy } = record.meta
    const { version } = this.#redactor
    const known = this.#declared.get(operation)
    if (known?.servedBy === servedBy && known.entrance === entrance && known.route === route && known.version === version) return known.text
    const texts = this.#texts
    const path = route === null ? "" : `,"route":${texts.get(route)}`
    const place = `"operation":${texts.get(operation)},"entrance":${texts.get(entrance)}${path},"servedBy":${texts.get(servedBy)}`
    const text = `Z","name":${this.#name},${place},"trace":"`
    // As many as there are operations; bounded all the same, should an entrance ever pass a caller's text on.
    if (this.#declared.size >= OPERATIONS_MAX) this.#declared.clear()
    this.#declared.set(operation, { entrance, route, servedBy, version, text })
    return text
  }

  #trace(trace: string): string {
    return isTraceId(trace) ? trace : this.#outside(trace).slice(1, -1)
  }

  #outside(text: string): string {
    return jsonText(this.#redactor.text(text))
  }

  #degraded({ degraded }: Meta): string {
    if (degraded === false) return ""
    const { why, ageMs } = degraded
    const age = ageMs === undefined ? "" : `,"ageMs":${jsonMs(ageMs)}`
    return `,"degraded":${this.#outside(why)}${age}`
  }

  #repaired({ repaired }: Meta): string {
    if (repaired === undefined) return ""
    return `,"repaired":{"count":${repaired.count},"fields":[${repaired.fields.map((what) => this.#outside(what)).join(",")}]}`
  }

  #failure(record: CallRecord, error: TrestleError, level: CallLevel): string {
    let tail = `,"outcome":"${error.outcome}","code":${this.#texts.get(error.code)},"status":${record.status ?? error.status}`
    if (error.reason !== undefined) tail += `,"reason":"${error.reason}"`
    if (record.bytes !== undefined) tail += `,"bytes":${record.bytes}`
    if (error.note !== undefined) tail += `,"note":${this.#outside(error.note)}`
    if (error.issues.length > 0)
      tail += `,"issues":[${error.issues.slice(0, ISSUES_MAX).map((issue) => this.#issues.get(issueText(issue)))}]`
    // A stack says something where our own code may be wrong; for each mistake of a caller it would let the caller fill the disk.
    const said = this.#redactor.value(error, { stacks: level === "error" }) as Record<string, unknown>
    const { type, message, stack, cause } = said
    return `${tail},"err":${escapeAwkward(JSON.stringify({ type, message, stack, cause }))}`
  }
}

/** The caller's own names may stand in it, never a value. */
function issueText({ path, message }: Issue): string {
  return path === "" ? message : `${path}: ${message}`
}

function ending({ status, bytes, meta: { attempts } }: CallRecord): string {
  if (bytes !== undefined) return `,"attempts":${attempts},"outcome":"ok","status":${status},"bytes":${bytes}}\n`
  const known = status === null ? ENDINGS[attempts] : status === 200 ? ENDINGS_200[attempts] : undefined
  return known ?? `,"attempts":${attempts},"outcome":"ok"${status === null ? "" : `,"status":${status}`}}\n`
}

/** Of ours or of a W3C `traceparent`; anything else is treated as a text from outside. A loop: the expression takes four times as long. */
function isTraceId(text: string): boolean {
  if (text.length !== 32) return false
  for (let i = 0; i < 32; i++) {
    const code = text.charCodeAt(i)
    if (code < 48 || code > 102 || (code > 57 && code < 97)) return false
  }
  return true
}
