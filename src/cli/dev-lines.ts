import { showMs } from "../base/duration.ts"
import { CATALOG, isCatalogCode } from "../errors/catalog.ts"
import { asTyped } from "./as-typed.ts"
import type { Operations } from "./dev-messages.ts"
import { type Colour, type Paint, shown } from "./paint.ts"
import { shortPath } from "./short-path.ts"

/** A call, as its line in the log tells it. */
export interface CallFields {
  readonly level: "info" | "warn" | "error"
  readonly time: string
  readonly operation: string
  readonly entrance: string
  readonly servedBy: string
  readonly caller: string | null
  readonly ms: number
  readonly attempts: number
  readonly trace: string
  readonly outcome: string
  readonly status?: number
  readonly degraded?: string
  readonly repaired?: { readonly count: number; readonly fields: readonly string[] }
  readonly code?: string
  readonly reason?: string
  readonly note?: string
  readonly issues?: readonly string[]
  readonly err?: Said
}

interface Said {
  readonly type?: string
  readonly message?: string
  readonly stack?: string
  readonly cause?: Said
}

interface EventFields {
  readonly level: "info" | "warn" | "error"
  readonly time: string
  readonly msg: string
  readonly err?: Said
}

export type Read = { readonly call: CallFields } | { readonly event: EventFields }

interface Look {
  readonly paint: Paint
  readonly columns: () => number | null
}

const OPERATION_WIDTH = 26
const INDENT = " ".repeat(10)
/** `dev` itself says when a version is up and when it has gone. */
const OWN_EVENTS = new Set(["listening", "closed"])
const OUTCOMES: Readonly<Record<string, string>> = {
  answered: "a real answer",
  refused: "nothing has happened",
  unknown: "it may have happened",
}

/** A finished line of the log; null for what needs no telling. */
export function readLine(line: string): Read | null {
  const fields = JSON.parse(line) as CallFields & EventFields
  if (fields.operation !== undefined && fields.outcome !== undefined) return { call: fields }
  return OWN_EVENTS.has(fields.msg) ? null : { event: fields }
}

/** Calls with the same key look alike but for their time; null for those that are told one by one. */
export function foldKey({
  operation,
  entrance,
  status,
  servedBy,
  caller,
  outcome,
  degraded,
  repaired,
  attempts,
}: CallFields): string | null {
  return outcome === "ok" ? JSON.stringify([operation, entrance, status, servedBy, caller, degraded, repaired?.fields, attempts]) : null
}

export function callLines(read: Read, operations: Operations, look: Look): string {
  if ("event" in read) return eventLines(read.event, look)
  const { call } = read
  return call.outcome === "ok" ? `${fitted(headOf(call, look), look)}\n` : failureLines(call, operations, look)
}

/** The line of calls that are alike: how many, and from the quickest to the slowest. */
export function foldedLine(
  { last, count, msMin, msMax }: { readonly last: CallFields; readonly count: number; readonly msMin: number; readonly msMax: number },
  look: Look,
): string {
  return `${fitted(`${headOf(last, look, count)}  ${showMs(msMin)} to ${showMs(msMax)}`, look)}\n`
}

function headOf(call: CallFields, { paint }: Look, count = 1): string {
  const { time, operation, ms, servedBy, caller, degraded, attempts, repaired, entrance, outcome } = call
  const [sign, colour] = signOf(call)
  const columns = [
    paint("dim", localTime(time)),
    paint(colour, `${sign} ${String(call.status ?? "ok").padEnd(3)}`),
    shown(operation).padEnd(OPERATION_WIDTH),
    showMs(ms).padStart(7),
    count === 1 ? "" : paint("bold", `×${count}`),
    shown(servedBy),
    paint("dim", shown(caller ?? (entrance === "http" || entrance === "rpc" ? "anyone" : entrance))),
  ]
  if (degraded !== undefined) columns.push(paint("yellow", `degraded: ${shown(degraded)}`))
  if (repaired) columns.push(paint("yellow", `repaired ${repaired.count}: ${shown(repaired.fields.join(", "))}`))
  if (attempts > 1 && outcome === "ok") columns.push(asked(attempts))
  return columns.filter((column) => column !== "").join("  ")
}

/** A sign for each, so that colour is never the only one. */
function signOf({ outcome, degraded, level }: CallFields): readonly [string, Colour] {
  if (outcome === "ok") return degraded === undefined ? ["✓", "green"] : ["!", "yellow"]
  return level === "info" ? ["✗", "yellow"] : ["✗", "red"]
}

function failureLines(call: CallFields, operations: Operations, look: Look): string {
  const { paint } = look
  const { code = "", reason, note, issues = [], outcome, attempts, trace, operation, level, err } = call
  const at = operations[operation]
  const detail = detailOf(code, err)
  const lines = [
    ...(detail === "" ? [] : [detail]),
    ...(note === undefined ? [] : [shown(note)]),
    ...issues.map(shown),
    paint(
      "dim",
      [
        OUTCOMES[outcome] ?? outcome,
        ...(reason === undefined || reason === "answered" ? [] : [reason]),
        asked(attempts),
        `trace ${shown(trace)}`,
      ].join(", "),
    ),
    ...(at ? [`${paint("cyan", "-->")} ${shown(shortPath(at))}`] : []),
    ...(level === "error" ? stackOf(err).map((line) => paint("dim", shown(line))) : []),
    ...(isOfAService(call)
      ? [`${paint("green", "help:")} ${asTyped(`trestle explain ${shown(operation)}   or look at the services: trestle doctor`)}`]
      : []),
  ]
  return `${headOf(call, look)}  ${paint("bold", shown(code))}\n${lines.map((line) => `${INDENT}${line}\n`).join("")}`
}

/** Of a call with steps, by all of them: that is no sign of repeats. */
function asked(attempts: number): string {
  if (attempts === 0) return "no service asked"
  return `services asked ${attempts === 1 ? "once" : `${attempts} times`}`
}

function isOfAService({ attempts, code }: CallFields): boolean {
  return attempts > 0 || code === "UNAVAILABLE" || code === "TIMEOUT"
}

/** What the caller hears. */
function detailOf(code: string, err: Said | undefined): string {
  const said = (err?.message ?? "").replace(`${code}: `, "").replace(/ \[.*\]$/s, "")
  return shown(said || (isCatalogCode(code) ? CATALOG[code].detail : ""))
}

/** Of the innermost error, in files of the application. */
function stackOf(error: Said | undefined): string[] {
  let inner = error
  while (inner?.cause?.message !== undefined) inner = inner.cause
  if (inner === error && error?.type === "TrestleError") return []
  const lines = (inner?.stack ?? "").split("\n")
  const own = lines.slice(1).filter((line) => !/node:internal|node_modules/.test(line))
  return lines[0] ? [lines[0], ...own.slice(0, 4)] : []
}

function eventLines({ level, time, msg, err }: EventFields, { paint }: Look): string {
  const [sign, colour]: readonly [string, Colour] = level === "info" ? ["·", "dim"] : level === "warn" ? ["!", "yellow"] : ["✗", "red"]
  const why = err?.message === undefined ? "" : `: ${shown(err.message)}`
  return `${paint("dim", localTime(time))}  ${paint(colour, sign)} ${shown(msg)}${why}\n`
}

function localTime(time: string): string {
  return new Date(time).toTimeString().slice(0, 8)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const PIECES = /\u001b\[\d+m|./gsu

/** No longer than the terminal is wide: a line that wraps could not be taken back. */
function fitted(line: string, { columns }: Look): string {
  const room = columns()
  if (room === null) return line
  let left = room - 1
  let text = ""
  for (const piece of line.match(PIECES) ?? []) {
    if (piece.startsWith("\u001b")) text += piece
    else if (left-- > 0) text += piece
  }
  return text
}
