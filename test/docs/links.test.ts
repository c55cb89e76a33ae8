import { existsSync, readFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { describe, expect, test } from "vitest"
import { anchorsOf, documents, parseDocument, ROOT } from "./documents.ts"

const all = documents()
const byPath = new Map(all.map((document) => [document.path, document]))

describe.each(all.map((document) => [document.path, document] as const))("%s", (path, document) => {
  const links = document.prose.flatMap((line) => [...line.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!))
  const relative = links.filter((link) => !/^[a-z]+:/i.test(link))

  test("relative links: lead to a file and an anchor that exist", () => {
    const broken = relative.filter((link) => {
      const [file = "", anchor] = link.split("#")
      const target = file === "" ? path : posix.join(posix.dirname(path), file)
      if (!existsSync(join(ROOT, target))) return true
      return anchor !== undefined && !(byPath.has(target) && anchorsOf(byPath.get(target)!).has(anchor))
    })
    expect(broken).toEqual([])
  })

  test("paths in backticks: exist", () => {
    const named = document.prose.flatMap((line) => [...line.matchAll(/`((?:src|test|docs|examples|bench|bin|scripts)\/[^`\s]*)`/g)])
    const missing = named.map((match) => match[1]!).filter((name) => !existsSync(join(ROOT, name.replace(/[/*]+$/, ""))))
    expect(missing).toEqual([])
  })

  test("npm scripts: exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> }
    const named = [...document.text.matchAll(/\bnpm run (?:--silent )?([\w:.-]+)/g)].map((match) => match[1]!)
    // The pages for users show scripts of an application; those of this repository stand in the documents for its developers.
    const own = dirname(path) === "." || path.startsWith("docs/explanation") ? named : []
    expect(own.filter((name) => scripts[name] === undefined)).toEqual([])
  })
})

describe("the reader of documents", () => {
  const text =
    "# A b\n## `code`: it's (here)\n## A b\n[x](#a-b)\n```ts run file=a.ts\nconst a = 1\n```\n<!-- prelude\nimport x\n-->\n```sh\nls\n```\n"
  const document = parseDocument("x.md", text)

  test("headings: have the anchors that GitHub makes", () => {
    expect([...anchorsOf(document)]).toEqual(["a-b", "code-its-here", "a-b-1"])
  })

  test("a block: has its language, words, line, heading and prelude", () => {
    expect(document.blocks).toEqual([
      { document: "x.md", line: 6, language: "ts", words: ["run", "file=a.ts"], text: "const a = 1\n", heading: "A b", prelude: "" },
      { document: "x.md", line: 12, language: "sh", words: [], text: "ls\n", heading: "A b", prelude: "import x" },
    ])
  })

  test("prose: has neither blocks nor comments", () => {
    expect(document.prose).toEqual(["# A b", "## `code`: it's (here)", "## A b", "[x](#a-b)", ""])
  })
})
