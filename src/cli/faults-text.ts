import { showDuration } from "../base/duration.ts"
import type { Operation } from "../contract/operation.ts"
import type { FaultReport } from "../testing/fault-lab.ts"
import type { FaultRow } from "../testing/fault-row.ts"
import { type Colour, type Paint, shown } from "./paint.ts"
import { paragraph, table } from "./table.ts"

const MARKS: Readonly<Record<FaultRow["result"], readonly [string, Colour]>> = {
  held: ["✓", "green"],
  broken: ["✗", "red"],
  untried: ["!", "yellow"],
}
const HEAD = ["    FAULT", "THE CALLER GETS", "FROM / OUTCOME", "TRIES", " TIME"]

const WIDTH = 80

export interface FaultsLook {
  readonly name: string
  readonly operations: readonly Operation[]
  readonly report: FaultReport
  readonly paint: Paint
}

/** A row for each fault, under its operation and its service. */
export function faultsText({ name, operations, report, paint }: FaultsLook): string {
  const { rows, withoutService } = report
  const [head = "", ...lines] = table([HEAD, ...rows.map((row) => cellsOf(row, paint))]).split("\n")
  const body = rows.flatMap((row, i) => [...titlesOf(row, rows[i - 1], { operations, paint }), lines[i]!, ...reasonOf(row, paint)])
  const table_ = rows.length === 0 ? [] : [paint("dim", head), ...body, ""]
  const without = withoutService.length === 0 ? [] : [paint("dim", `no service: ${withoutService.join(", ")}`)]
  return `${[...table_, ...without, `${paint("bold", shown(name))}: ${countsText(report)}`].join("\n")}\n`
}

function cellsOf(row: FaultRow, paint: Paint): string[] {
  const [mark, colour] = MARKS[row.result]
  const fault = `    ${paint(colour, mark)} ${shown(row.fault ?? "anything")}`
  if (row.result === "untried") return [fault, paint("yellow", "not tried")]
  const gets = row.code ?? (row.isDegraded ? "degraded" : "answer")
  const from = row.code === null ? (row.servedBy ?? "") : (row.outcome ?? "")
  return [fault, gets, shown(from), String(row.attempts).padStart(5), showDuration(row.ms).padStart(5)]
}

interface Titles {
  readonly operations: readonly Operation[]
  readonly paint: Paint
}

/** The operation where it is another one than before; the service where it is. */
function titlesOf(row: FaultRow, before: FaultRow | undefined, { operations, paint }: Titles): string[] {
  const isNew = before?.operation !== row.operation
  const operation = operations.find(({ path }) => path === row.operation)
  const about = operation ? paint("dim", `  ${operation.effect}, deadline ${showDuration(operation.deadlineMs)}`) : ""
  const titles = isNew ? ["", `${paint("bold", row.operation)}${about}`] : []
  if (!isNew && before?.service === row.service && before.nth === row.nth) return titles
  const after = row.after.length === 0 ? "" : paint("dim", `, asked when ${row.after.map(shown).join(" and ")} cannot answer`)
  const alone = row.nth === null ? "" : `, in its write ${row.nth} alone`
  return row.service === null ? titles : [...titles, `  when ${shown(row.service)}${alone}${after}`]
}

/** Why it was not tried; which step of a flow has failed, and what was undone. What is broken has a finding that says so. */
function reasonOf({ result, why, step, undone }: FaultRow, paint: Paint): string[] {
  const isTold = result === "untried" || step !== null || undone.length > 0
  if (!isTold || why === null) return []
  return paragraph(shown(why), 6, WIDTH).map((line) => paint("dim", line))
}

export interface FaultCounts {
  readonly held: number
  readonly broken: number
  readonly untried: number
  readonly withoutService: number
}

export function countsOf({ rows, withoutService }: FaultReport): FaultCounts {
  const count = (wanted: FaultRow["result"]): number => rows.filter(({ result }) => result === wanted).length
  return { held: count("held"), broken: count("broken"), untried: count("untried"), withoutService: withoutService.length }
}

function countsText(report: FaultReport): string {
  const { held, broken, untried } = countsOf(report)
  return `${held} held · ${broken} broken · ${untried} not tried`
}
