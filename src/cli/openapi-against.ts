import { readFile } from "node:fs/promises"
import { systemClock } from "../base/clock.ts"
import type { Finding } from "../contract/finding.ts"
import { CHANGE_RULES, type Change } from "../server/changes/change-rules.ts"
import { documentChanges } from "../server/changes/document-changes.ts"
import { EXIT } from "./exit.ts"
import { cliFinding, usage } from "./findings.ts"
import { type Paint, paintFor, shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { table } from "./table.ts"

export interface CompareParts {
  /** The file with the earlier document. */
  readonly against: string
  readonly document: object
  /** Of the declarations. */
  readonly findings: readonly Finding[]
  readonly about: Readonly<Record<string, unknown>>
}

/** What has changed since an earlier document; each breaking change is a finding, with what to do. */
export async function compare({ against, document, findings, about }: CompareParts): Promise<Report> {
  const changes = documentChanges(await earlierDocument(against), document, systemClock.epoch())
  const breaking = changes.filter(({ is }) => is === "breaking")
  const all = [...findings, ...breaking.map(findingOf)]
  const compatible = changes.length - breaking.length
  const paint = paintFor(process.stdout)
  const { isTTY, columns } = process.stdout
  return {
    exit: all.length > 0 ? EXIT.found : EXIT.ok,
    findings: all,
    summary: { ...about, against, breaking: breaking.length, compatible },
    json: { changes },
    text: `${changes.length > 0 ? `${changesText(changes, paint, isTTY ? columns : undefined)}\n` : ""}${breaking.length} breaking · ${compatible} compatible\n`,
  }
}

/** @throws {Stop} wrong usage, for a file that cannot be read or holds no OpenAPI document. */
async function earlierDocument(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw usage(`--against ${file} cannot be read (${error.code})`, "Name a file that an earlier `trestle openapi --out` wrote.")
  })
  try {
    const document = JSON.parse(text) as { openapi?: unknown } | null
    if (typeof document?.openapi === "string" && document.openapi.startsWith("3.")) return document
  } catch {
    // Said below.
  }
  throw usage(`--against ${file} holds no OpenAPI 3 document in JSON`, "Name a file that an earlier `trestle openapi --out` wrote.")
}

function changesText(changes: readonly Change[], paint: Paint, width: number | undefined): string {
  const head = ["", "OPERATION", "PLACE", "WHAT", "BEFORE → AFTER"].map((title) => paint("dim", title))
  const body = changes.map((one) => {
    const mark = one.is === "breaking" ? paint("red", "✗") : paint("green", "+")
    return [mark, shown(one.operation), shown(one.place) || "-", CHANGE_RULES[one.rule].title, shown(sidesOf(one))]
  })
  return table([head, ...body], width)
}

function findingOf(change: Change): Finding {
  const { rule, operation, place, fix } = change
  const message = `${[operation, place].filter(Boolean).join(" ")}: ${CHANGE_RULES[rule].title} (${sidesOf(change)})`
  return cliFinding("TRS3013", message, fix.replace("[...]", `["${operation}"]`), { at: `${operation}${place === "" ? "" : ` ${place}`}` })
}

function sidesOf({ before, after }: Change): string {
  return before === "" || after === "" ? before || after : `${before} → ${after}`
}
