import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const ROOT = join(import.meta.dirname, "..", "..")

/** A fenced block of a document. */
export interface Block {
  readonly document: string
  /** Of its first line of content, counted from 1. */
  readonly line: number
  /** `ts`, `sh`, `diff`, ... */
  readonly language: string
  /** What follows the language; no renderer shows it. `run`, `file=app.ts`, `wrong`, `right`, `ts`. */
  readonly words: readonly string[]
  readonly text: string
  /** The last heading before it. */
  readonly heading: string
  /** The text of the last `<!-- prelude` comment before it: what a block that imports nothing itself is read with. */
  readonly prelude: string
}

export interface Heading {
  readonly text: string
  readonly line: number
}

export interface Document {
  /** Relative to the repository, with `/`. */
  readonly path: string
  readonly text: string
  readonly headings: readonly Heading[]
  readonly blocks: readonly Block[]
  /** The text without its fenced blocks and comments, line by line. */
  readonly prose: readonly string[]
}

/** Every document of the repository: those at its root, and everything below `docs`. */
export function documents(): Document[] {
  const atRoot = readdirSync(ROOT).filter((name) => name.endsWith(".md"))
  const below = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"))
  return [...atRoot, ...below.map((name) => `docs/${name.replaceAll("\\", "/")}`)].sort().map(readDocument)
}

export function readDocument(path: string): Document {
  return parseDocument(path, readFileSync(join(ROOT, path), "utf8"))
}

export function parseDocument(path: string, text: string): Document {
  const headings: Heading[] = []
  const blocks: Block[] = []
  const prose: string[] = []
  const lines = text.split("\n")
  let prelude = ""
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    const fence = /^(\s*)```(\S*)\s*(.*)$/.exec(line)
    if (fence) {
      const end = lines.findIndex((one, at) => at > i && one.trim() === "```")
      const content = lines.slice(i + 1, end === -1 ? lines.length : end).map((one) => one.slice(fence[1]!.length))
      const words = fence[3]!.split(/\s+/).filter(Boolean)
      const heading = headings.at(-1)?.text ?? ""
      blocks.push({ document: path, line: i + 2, language: fence[2]!, words, text: `${content.join("\n")}\n`, heading, prelude })
      i = end === -1 ? lines.length : end
    } else if (line.startsWith("<!--")) {
      const end = lines.findIndex((one, at) => at >= i && one.includes("-->"))
      if (/^<!-- prelude\s*$/.test(line)) prelude = lines.slice(i + 1, end).join("\n")
      i = end
    } else {
      const heading = /^#{1,6}\s+(.*?)\s*$/.exec(line)
      if (heading) headings.push({ text: heading[1]!, line: i + 1 })
      prose.push(line)
    }
  }
  return { path, text, headings, blocks, prose }
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(document: Document): Set<string> {
  const seen = new Map<string, number>()
  return new Set(
    document.headings.map(({ text }) => {
      const words = text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase()
      const slug = words.replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-")
      const count = seen.get(slug) ?? 0
      seen.set(slug, count + 1)
      return count === 0 ? slug : `${slug}-${count}`
    }),
  )
}
