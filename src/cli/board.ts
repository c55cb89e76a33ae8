import type { State } from "../contract/operation.ts"
import type { OperationStatus } from "../runtime/status.ts"
import { type Colour, type Paint, shown } from "./paint.ts"
import { table } from "./table.ts"

/** In the order in which an operation goes through them. A sign and a word; the colour only repeats them. */
const STATES: readonly { readonly state: State; readonly sign: string; readonly colour: Colour }[] = [
  { state: "placeholder", sign: "○", colour: "yellow" },
  { state: "wired", sign: "◔", colour: "cyan" },
  { state: "verified", sign: "◑", colour: "green" },
  { state: "live", sign: "●", colour: "green" },
]

const BAR_MAX = 40

export interface BoardParts {
  readonly rows: readonly OperationStatus[]
  readonly paint: Paint
  /** Columns of the terminal, where there is one. */
  readonly width: number | undefined
}

/** All operations, grouped by their states, what is least real first. */
export function board({ rows, paint, width }: BoardParts): string {
  const groups = STATES.flatMap(({ state, sign, colour }) => {
    const members = rows.filter((row) => row.state === state)
    if (members.length === 0) return []
    const head = [`${paint("bold", state)} ${members.length}`]
    return [[""], head, ...members.map((row) => cellsOf(row, paint(colour, sign), paint))]
  })
  return table(groups.slice(1), width)
}

function cellsOf(row: OperationStatus, sign: string, paint: Paint): string[] {
  const backend = [row.backend, ...row.services.map(shown)].join(" ")
  return [`${sign} ${row.operation}`, reachedBy(row, paint), paint("dim", backend), remarkOf(row)]
}

function reachedBy({ http, on, every }: OperationStatus, paint: Paint): string {
  const ways = [http, on && `on ${on}`, every].filter((way) => way !== null)
  return ways.map(shown).join(", ") || paint("dim", "internal")
}

/** What a person wants to know of this row beyond its state. */
function remarkOf({ state, on, why, seenAt, seenBy, deprecated }: OperationStatus): string {
  const seen = seenAt === null ? "" : `${seenAt.slice(0, 10)} by ${shown(seenBy ?? "")}`
  const gone = state === "placeholder" && on !== null ? "Messages that it takes are gone" : ""
  return [why === null ? seen : shown(why), gone, deprecated === null ? "" : shown(deprecated)].filter(Boolean).join(". ")
}

/** `3 placeholder · 9 wired · 2 verified · 5 live`, under one sign for each operation. */
export function progress(rows: readonly OperationStatus[], paint: Paint): string {
  return `${bar(rows, paint)}\n${countsText(rows)}`
}

export function countsText(rows: readonly OperationStatus[]): string {
  return STATES.map(({ state }) => `${countOf(rows, state)} ${state}`).join(" · ")
}

/** One sign an operation, or a share of them where there are many; a state that occurs has at least one sign. */
function bar(rows: readonly OperationStatus[], paint: Paint): string {
  const share = Math.min(1, BAR_MAX / Math.max(1, rows.length))
  return STATES.map(({ state, sign, colour }) => {
    const count = countOf(rows, state)
    return count === 0 ? "" : paint(colour, sign.repeat(Math.max(1, Math.round(count * share))))
  }).join("")
}

function countOf(rows: readonly OperationStatus[], state: State): number {
  return rows.filter((row) => row.state === state).length
}

/** For `--json`: how many operations are in each state. */
export function countsOf(rows: readonly OperationStatus[]): Readonly<Record<State, number>> {
  return Object.fromEntries(STATES.map(({ state }) => [state, countOf(rows, state)])) as Record<State, number>
}
