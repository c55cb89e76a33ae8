import { isAbsolute } from "node:path"
import { showMs } from "../base/duration.ts"
import type { Step } from "../contract/diagnosis.ts"
import type { Finding } from "../contract/finding.ts"
import { asTyped } from "./as-typed.ts"
import type { Examined } from "./doctor-service.ts"
import { type Colour, type Paint, shown } from "./paint.ts"
import { shortPath } from "./short-path.ts"
import { table } from "./table.ts"

interface Look {
  readonly paint: Paint
  readonly width: number | undefined
}

/** A sign and a word; the colour only repeats them. */
const SIGNS: Readonly<Record<Step["state"], readonly [sign: string, colour: Colour]>> = {
  ok: ["✓", "green"],
  warning: ["!", "yellow"],
  failed: ["✗", "red"],
  unsure: ["?", "dim"],
  "not reached": ["-", "dim"],
}
const STEP_WIDTH = 15

/** A row for each service; below, each step of those that are not well, with what to type. */
export function doctorText(name: string, examined: readonly Examined[], look: Look): string {
  if (examined.length === 0) return `${shown(name)}: no operation reaches a service\n`
  const rows = examined.map((one) => rowOf(one, look.paint))
  const details = examined.filter(({ state }) => state !== "ok").map((one) => detailsOf(one, look))
  return `${[table(rows, look.width), ...details].join("\n")}\n${summaryOf(name, examined, look.paint)}`
}

function rowOf(one: Examined, paint: Paint): string[] {
  const [sign, colour] = SIGNS[one.state]
  return [
    paint(colour, `${sign} ${shown(one.service)}`),
    one.kind,
    shown(isAbsolute(one.address) ? shortPath(one.address) : one.address),
    paint(colour, stateOf(one)),
    one.latencyMs === null ? "" : showMs(one.latencyMs),
    noteOf(one, paint),
  ]
}

/** What a failed step means, where its answer does not say it. */
const STATES: Readonly<Record<string, string>> = { dns: "no name", tcp: "down", tls: "certificate", authentication: "no answer" }

function stateOf({ state, steps, findings }: Examined): string {
  if (state === "ok") return "well"
  const step = steps.find((one) => one.state === state)!
  const status = /^[45]\d\d\b/.exec(step.seen)?.[0]
  return (
    status ?? (step.name === "variables" && findings.some(({ code }) => code !== "TRS2003") ? "not set" : (STATES[step.name] ?? step.name))
  )
}

function noteOf({ state, steps, findings, service }: Examined, paint: Paint): string {
  const [first] = findings
  if (state !== "ok" && first) return shown(first.message.replace(`${service}: `, ""))
  const notes = steps
    .filter(({ name, state }) => (name === "version" ? state === "ok" : state === "unsure"))
    .map(({ name, seen }) => (name === "version" ? seen : `${name} ${seen}`))
  return paint("dim", shown(notes.join("; ")))
}

function detailsOf({ service, at, steps, findings }: Examined, { paint }: Look): string {
  const place = at === null ? "" : `   ${paint("dim", shown(shortPath(at)))}`
  return `${[
    `${paint("bold", shown(service))}${place}`,
    ...steps.map((step) => stepLine(step, paint)),
    ...findings.flatMap((finding) => findingLines(finding, paint)),
  ].join("\n")}\n`
}

function stepLine({ name, state, seen, ms }: Step, paint: Paint): string {
  const [sign, colour] = SIGNS[state]
  const took = ms === undefined || name === "latency" ? "" : paint("dim", `   ${showMs(ms)}`)
  return `  ${paint(colour, sign)} ${name.padEnd(STEP_WIDTH)} ${state === "not reached" ? paint("dim", state) : shown(seen)}${took}`
}

function findingLines({ code, severity, message, fix }: Finding, paint: Paint): string[] {
  return [
    `  ${paint(severity === "error" ? "red" : "yellow", `${severity}[${code}]`)}: ${paint("bold", shown(message))}`,
    `  ${paint("green", "help:")} ${shown(asTyped(fix)).replaceAll("\n", "\n        ")}`,
  ]
}

function summaryOf(name: string, examined: readonly Examined[], paint: Paint): string {
  const failing = examined.filter(({ state }) => state === "failed").length
  const warned = examined.filter(({ state }) => state === "warning").length
  const count = `${examined.length} ${examined.length === 1 ? "service" : "services"}`
  const parts = [count, `${examined.length - failing - warned} well`, ...(warned > 0 ? [`${warned} to look at`] : []), `${failing} failing`]
  return `${paint("bold", shown(name))}: ${parts.join(", ")}\n`
}
