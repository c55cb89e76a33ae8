import { showDuration } from "../base/duration.ts"
import type { JobFigures, KeptWork, OutboxFigures } from "../contract/kept-work.ts"
import type { ServiceStatus } from "../contract/service.ts"
import { baseOf, keyFrom, warnOfPlainText } from "./call-server.ts"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding } from "./findings.ts"
import { type Paint, paintFor, shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { table } from "./table.ts"

const ANSWER_MS_MAX = 10_000

interface Standing {
  readonly status: string
  readonly services: Readonly<Record<string, string>>
  readonly circuits?: readonly ServiceStatus[]
  /** `null`: a store did not answer. */
  readonly work?: KeptWork | null
}

/** What a running application says of itself at `/health/ready`, to whoever may see the inside. */
export async function statusOfServer(url: string, keyName: string | undefined): Promise<Report> {
  const base = baseOf(url)
  const key = keyName === undefined ? undefined : keyFrom(keyName)
  if (key !== undefined) warnOfPlainText(base)
  const { status, services, circuits, work } = await ask(base, key)
  const paint = paintFor(process.stdout)
  const isReady = status === "ready"
  const notClosed = (circuits ?? []).filter(({ circuit }) => circuit !== "closed").length
  const probes = Object.entries(services).map(([name, state]) => [shown(name), state === "up" ? state : paint("red", shown(state))])
  const jobs = (work?.jobs ?? []).map((one) => jobCells(one, paint))
  const outboxes = (work?.outboxes ?? []).map(outboxCells)
  const tables = [probes, (circuits ?? []).map((one) => cellsOf(one, paint)), jobs, outboxes].filter((rows) => rows.length > 0)
  return {
    exit: isReady && notClosed === 0 ? EXIT.ok : EXIT.found,
    summary: { url: base, ready: isReady, circuitsNotClosed: notClosed },
    json: { services, ...(circuits ? { circuits } : {}), ...(work === undefined ? {} : { work }) },
    text: `${tables.map((rows) => `${table(rows)}\n`).join("")}${paint("bold", base)}: ${shown(status)}\n`,
    ...(circuits ? {} : { notes: "Circuit breakers are shown to callers who may meta:read: --key NAME_OF_VARIABLE\n" }),
  }
}

function cellsOf({ service, kind, circuit, active, waiting, places }: ServiceStatus, paint: Paint): string[] {
  const state = circuit === "closed" ? circuit : paint("yellow", circuit)
  return [shown(service), shown(kind), state, `${active} of ${places} places${waiting > 0 ? `, ${waiting} waiting` : ""}`]
}

function jobCells({ operation, isKnown, waiting, running, parked, dead, overdueMs }: JobFigures, paint: Paint): string[] {
  const counts = [
    `${waiting} waiting`,
    `${running} running`,
    ...(parked > 0 ? [`${parked} parked`] : []),
    ...(dead > 0 ? [`${dead} dead`] : []),
  ]
  const overdue = overdueMs > 0 ? `due for ${showDuration(overdueMs)}` : ""
  const text = counts.join(", ")
  return [
    shown(operation),
    "jobs",
    parked + dead > 0 ? paint("yellow", text) : text,
    isKnown ? overdue : paint("yellow", "no operation of it"),
  ]
}

function outboxCells({ service, messages, oldestMs }: OutboxFigures): string[] {
  return [shown(service), "outbox", `${messages} waiting`, messages > 0 ? `the oldest for ${showDuration(oldestMs)}` : ""]
}

async function ask(base: string, key: string | undefined): Promise<Standing> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const answer: Standing | null = await fetch(`${base}/health/ready`, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    .then((response) => response.json() as Promise<Standing>)
    .catch(() => null)
  if (typeof answer?.status === "string" && typeof answer.services === "object") return answer
  throw new Stop(EXIT.unreachable, [
    cliFinding("TRS1041", `no answer from ${base} that a Trestle application gives`, "Is it running? Start it with: trestle serve"),
  ])
}
