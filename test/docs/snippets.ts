// Writes the code of the documents into a folder from which it is compiled and run as an application of a user would be.
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type Block, type Document, ROOT } from "./documents.ts"

/** One block of code, in the folder where it was written. */
export interface Snippet {
  readonly block: Block
  /** Absolute. */
  readonly file: string
  /** Add this to a line of the file to get the line of the document. */
  readonly offset: number
}

/** A new folder in which `trestle` and the development dependencies resolve as in an application. */
export function newFolder(): string {
  // The compiler names files by their real path.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "trestle-docs-")))
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "junction")
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(ROOT, "tsconfig.json"), include: ["**/*.ts"], exclude: ["node_modules"] }),
  )
  return folder
}

/**
 * Writes every block of TypeScript. `file=notes.ts` gives a block that name, so that later blocks of its document can import it; when
 * a name comes again, the files so far are copied into a new folder and this one is replaced there, as its reader would do.
 * `diff ts` stands for two files: the one before and the one after the change.
 */
export function writeSnippets(document: Document, folder: string): Snippet[] {
  const base = join(folder, document.path.replaceAll("/", "__").replace(/\.md$/, ""))
  const snippets: Snippet[] = []
  let stage = 1
  const named = new Map<string, Block>()
  const write = (block: Block, name: string, text = block.text): Snippet => {
    const file = join(base, String(stage), name)
    const prelude = /^import /m.test(text) || block.prelude === "" ? "" : `${block.prelude}\n`
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${prelude}${text}\nexport {}\n`)
    return { block, file, offset: block.line - prelude.split("\n").length }
  }
  for (const block of document.blocks) {
    if (block.language === "diff" && block.words.includes("ts")) {
      const side = (sign: "-" | "+"): string =>
        block.text
          .split("\n")
          .filter((line) => !line.startsWith(sign === "-" ? "+" : "-"))
          .map((line) => line.slice(1))
          .join("\n")
      snippets.push(write(block, `line-${block.line}-before.ts`, side("-")), write(block, `line-${block.line}-after.ts`, side("+")))
      continue
    }
    if (block.language !== "ts") continue
    const name = block.words.find((word) => word.startsWith("file="))?.slice("file=".length)
    if (name !== undefined && named.has(name)) {
      stage++
      for (const [other, earlier] of named) if (other !== name) write(earlier, other)
    }
    if (name !== undefined) named.set(name, block)
    snippets.push(write(block, name ?? `line-${block.line}.ts`))
  }
  return snippets
}
