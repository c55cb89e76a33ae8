import { readFileSync } from "node:fs"

/** A page, or a row of one, of the reference that the package ships. */
export interface Page {
  readonly subject: string
  readonly title: string
  readonly text: string
}

/** As far away from the sources as from the compiled code. */
const REFERENCE = new URL("../../docs/reference/", import.meta.url)

/** What the reference says of a finding (`TRS1002`), an error code (`OUTCOME_UNKNOWN`) or a reason (`timeout-sent`); null for anything else. */
export function pageOf(subject: string): Page | null {
  if (/^TRS\d{4}$/i.test(subject)) return sectionOf(subject.toUpperCase())
  return /^[A-Z][A-Z_]+$|^[a-z]+(-[a-z]+)*$/.test(subject) ? rowOf(subject) : null
}

function sectionOf(code: string): Page | null {
  const text = readFileSync(new URL("findings.md", REFERENCE), "utf8")
  const begin = text.indexOf(`\n### ${code}: `)
  if (begin === -1) return null
  const [heading = "", ...lines] = text
    .slice(begin + 1)
    .split(/\n(?=#{2,3} )/, 1)[0]!
    .split("\n")
  return { subject: code, title: heading.slice(`### ${code}: `.length), text: `${heading.slice(4)}\n\n${plain(lines)}\n` }
}

/** Of a table of the page on errors: its columns become lines. */
function rowOf(subject: string): Page | null {
  const lines = readFileSync(new URL("errors.md", REFERENCE), "utf8").split("\n")
  const at = lines.findIndex((line) => line.startsWith(`| \`${subject}\` |`))
  if (at === -1) return null
  const rule = lines.findLastIndex((line, i) => i < at && /^\|[-|]+$/.test(line))
  const titles = cellsOf(lines[rule - 1] ?? "")
  const cells = cellsOf(lines[at]!)
  const width = Math.max(...titles.map(({ length }) => length))
  const rows = titles.slice(1).map((title, i) => `  ${title.toLowerCase().padEnd(width)}  ${cells[i + 1] ?? ""}`)
  return { subject, title: cells[titles.indexOf("Title")] ?? `reason ${subject}`, text: `${subject}\n\n${rows.join("\n")}\n` }
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split("|")
    .map((cell) => unmarked(cell.trim()))
}

/** Markdown as a terminal shows it: code is indented, and says whether it is the wrong or the right one. */
function plain(lines: readonly string[]): string {
  let isCode = false
  const shown = lines.flatMap((line) => {
    const fence = /^```\S*\s*(.*)$/.exec(line)
    if (fence) {
      isCode = !isCode
      const word = /\b(wrong|right)\b/.exec(fence[1]!)?.[1]
      return isCode && word ? [`  ${word}:`] : []
    }
    return [isCode ? `    ${line}`.trimEnd() : unmarked(line)]
  })
  return shown
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
}

/** Without links and quotes of code, which a terminal does not render. */
function unmarked(text: string): string {
  return text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "")
}
