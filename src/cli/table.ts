/** Cells may be painted: what a terminal does not show does not count. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const PAINT = /\u001b\[\d+m/g
/** A last column narrower than this is not worth wrapping in: its long cells go under their row. */
const WRAP_MIN = 24
const UNDER = 4

/** Columns side by side, two spaces apart, the first row being their titles; the last column keeps within `width` where that is known. */
export function table(rows: readonly (readonly string[])[], width: number = Number.POSITIVE_INFINITY): string {
  const widths = columnsOf(rows)
  const last = widths.length - 1
  const indent = widths.slice(0, last).reduce((sum, one) => sum + one + 2, 0)
  const isNarrow = width - indent < WRAP_MIN
  return rows
    .flatMap((row) => {
      const head = row.slice(0, last).map((cell, i) => cell + " ".repeat(widths[i]! + 2 - lengthOf(cell)))
      const cell = row[last] ?? ""
      if (isNarrow && cell !== "" && lengthOf(cell) > width - indent) return [head.join(""), ...paragraph(cell, UNDER, width)]
      const [first = "", ...more] = wrapped(cell, width - indent)
      return [head.join("") + first, ...indented(more, indent)]
    })
    .map((line) => `${line.trimEnd()}\n`)
    .join("")
}

/** The lines of a text, each set in by so many spaces, none longer than `width` unless one word is. */
export function paragraph(text: string, indent: number, width: number): string[] {
  return indented(wrapped(text, width - indent), indent)
}

function indented(lines: readonly string[], by: number): string[] {
  return lines.map((line) => " ".repeat(by) + line)
}

function columnsOf(rows: readonly (readonly string[])[]): number[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  return Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => lengthOf(row[i] ?? ""))))
}

function lengthOf(cell: string): number {
  return [...cell.replace(PAINT, "")].length
}

function wrapped(text: string, room: number): string[] {
  if (lengthOf(text) <= room) return [text]
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= room) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
