import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { CLI_FINDINGS } from "../../src/cli/findings.ts"
import { CATALOG, COMMON, ENTRANCE, OPERATOR } from "../../src/errors/catalog.ts"
import { REASONS } from "../../src/errors/reasons.ts"
import { FINDINGS, START_FINDINGS } from "../../src/runtime/findings.ts"
import { type Document, documents, ROOT, readDocument } from "./documents.ts"

/** The cells of every row of a document's tables whose first cell is code: `` `NOT_FOUND` ``. */
function rowsOf(document: Document, from: string, to?: string): string[][] {
  const begin = document.text.indexOf(`\n${from}\n`)
  const end = to === undefined ? document.text.length : document.text.indexOf(`\n${to}\n`)
  expect([begin, end]).not.toContain(-1)
  const rows = document.text.slice(begin, end).match(/^\| `.*\|$/gm) ?? []
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  )
}
const codeIn = (cell: string | undefined): string => /^`(.*)`$/.exec(cell ?? "")?.[1] ?? `(no code: ${cell})`

describe("docs/reference/findings.md", () => {
  const document = readDocument("docs/reference/findings.md")
  const sections = document.headings.filter(({ text }) => text.startsWith("TRS")).map(({ text }) => text)
  const titled = { ...FINDINGS, ...START_FINDINGS, ...CLI_FINDINGS }

  test("the findings of declarations and of the command line: each has its section, by code and title", () => {
    const inCode = Object.entries(titled).map(([code, { title }]) => `${code}: ${title}`)
    expect(sections.filter((text) => !text.startsWith("TRS20"))).toEqual(inCode)
  })

  test("the findings of the configuration: each has its section", () => {
    const folder = join(ROOT, "src", "config")
    const sources = readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    const codes = sources.flatMap((name) => readFileSync(join(folder, name), "utf8").match(/TRS20\d\d/g) ?? [])
    const documented = sections.filter((text) => text.startsWith("TRS20")).map((text) => text.slice(0, 7))
    expect(documented).toEqual([...new Set(codes)].sort())
  })

  test("a section: says why", () => {
    const lacking = Object.entries(titled).filter(([, { why }]) => !document.text.includes(`Why: ${why}`))
    expect(lacking.map(([code]) => code)).toEqual([])
  })

  test("a declaration's finding: shows wrong code and right code", () => {
    const shown = (word: string): string[] =>
      document.blocks.filter(({ words }) => words.includes(word)).map(({ heading }) => heading.slice(0, 7))
    expect([...new Set(shown("wrong"))].filter((code) => code < "TRS2")).toEqual(Object.keys(FINDINGS))
    expect([...new Set(shown("right"))].filter((code) => code < "TRS2")).toEqual(Object.keys(FINDINGS))
  })
})

describe("docs/reference/errors.md", () => {
  const document = readDocument("docs/reference/errors.md")

  test.each([
    ["## Codes of every operation", "## Codes of the entrance", COMMON],
    ["## Codes of the entrance", "## Codes for the operator", ENTRANCE],
    ["## Codes for the operator", "## Reasons", OPERATOR],
  ] as const)("%s: the table is that of the code", (from, to, entries) => {
    const rows = rowsOf(document, from, to).map(([code, status, title]) => [codeIn(code), Number(status), title])
    expect(rows).toEqual(Object.entries(entries).map(([code, { status, title }]) => [code, status, title]))
  })

  test("the three tables: are the whole catalogue", () => {
    const rows = rowsOf(document, "## Codes of every operation", "## Reasons").map(([code]) => codeIn(code))
    expect(rows.sort()).toEqual(Object.keys(CATALOG).sort())
  })

  test("the reasons: are those of the code, with their verdicts", () => {
    const yes = (is: boolean): string => (is ? "yes" : "no")
    const rows = rowsOf(document, "## Reasons").map(([reason, outcome, feeds, transient]) => [
      codeIn(reason),
      codeIn(outcome),
      feeds,
      transient,
    ])
    const inCode = Object.entries(REASONS).map(([reason, { outcome, feedsBreaker, isTransient }]) => [
      reason,
      outcome,
      yes(feedsBreaker),
      yes(isTransient),
    ])
    expect(rows).toEqual(inCode)
  })
})

describe("ARCHITECTURE.md", () => {
  test("its rooms: are the folders of src", () => {
    const shown = [...readDocument("ARCHITECTURE.md").text.matchAll(/^\| \d \| `src\/(\w+)` \|/gm)].map((match) => match[1])
    const rooms = readdirSync(join(ROOT, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(shown.sort()).toEqual(rooms.map(({ name }) => name).sort())
  })
})

describe("GLOSSARY.md", () => {
  const [meanings = "", avoided = ""] = readDocument("GLOSSARY.md").text.split("## Not these")

  test("its words: stand in the order of the alphabet, each once", () => {
    const words = [...meanings.matchAll(/^\| ([^|]+) \|/gm)].map((match) => match[1]!).filter((word) => !/^(Word|-+)$/.test(word))
    expect(words.length).toBeGreaterThan(30)
    expect(words).toEqual([...new Set(words)].sort())
  })
  test("the words to avoid: occur in no document for users", () => {
    const words = [...avoided.matchAll(/^\| ([^|]+) \|/gm)]
      .flatMap((match) => match[1]!.split(", "))
      .filter((word) => !/^(Instead of|-+)$/.test(word))
    expect(words.length).toBeGreaterThan(5)
    const pattern = new RegExp(`\\b(${words.join("|")})s?\\b`, "i")
    const isForUsers = ({ path }: Document): boolean => /^(README|SECURITY|CHANGELOG)\.md$|^docs\/(tutorial|how-to|reference)\//.test(path)
    // What stands in code is called as the code calls it: `running.handler()` is for servers that call it so.
    const isUsing = (line: string): boolean => pattern.test(line.replace(/`[^`]*`/g, ""))
    const used = documents()
      .filter(isForUsers)
      .flatMap(({ path, prose }) => prose.flatMap((line) => (isUsing(line) ? [`${path}: ${line}`] : [])))
    expect(used).toEqual([])
  })
})
