import { excerptAt, pathOf } from "../base/source-excerpt.ts"
import type { Finding } from "../contract/finding.ts"
import { asTyped } from "./as-typed.ts"
import { COMMAND_LINE } from "./findings.ts"
import { type Paint, shown } from "./paint.ts"
import { shortPath } from "./short-path.ts"

/** Findings as a good compiler prints them: code and sentence, place and excerpt, why, and help with code to paste. */
export function findingsText(findings: readonly Finding[], paint: Paint, folder: string = process.cwd()): string {
  return findings.map((one) => findingText(one, paint, folder)).join("\n")
}

function findingText(finding: Finding, paint: Paint, folder: string): string {
  const { severity, code, message, why, fix, file, line } = finding
  const head = paint(severity === "error" ? "red" : "yellow", `${severity}[${code}]`)
  const lines = [
    `${head}: ${paint("bold", shown(message))}`,
    ...placesOf(finding, folder).map((place) => `  ${paint("cyan", "-->")} ${place}`),
  ]
  const excerpt = finding.excerpt || (file === null || line === null ? "" : excerptAt({ file, line }, 1))
  if (excerpt) lines.push(...excerpt.split("\n").map((text) => excerptLine(text, paint)))
  if (why) lines.push(`  ${paint("cyan", "why:")}  ${shown(why)}`)
  if (fix) lines.push(`  ${paint("green", "help:")} ${shown(asTyped(fix)).replaceAll("\n", "\n        ")}`)
  return `${lines.join("\n")}\n`
}

/** Where it stands in the source, short enough for a terminal to make it a link; and where it was looked for, if that is elsewhere. */
function placesOf({ at, file, line }: Finding, folder: string): string[] {
  // Whoever typed the command knows where it is.
  if (file === null || line === null) return at === COMMAND_LINE ? [] : [shown(at)]
  const path = pathOf({ file, line })
  const place = shown(`${shortPath(path, folder)}:${line}`)
  return at === `${path}:${line}` || at === `${file}:${line}` ? [place] : [place, shown(at)]
}

function excerptLine(line: string, paint: Paint): string {
  return line.startsWith(">") ? `  ${paint("red", ">")}${shown(line.slice(1))}` : `  ${paint("dim", shown(line))}`
}
