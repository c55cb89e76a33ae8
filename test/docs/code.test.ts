import { execFile } from "node:child_process"
import { rmSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { documents, ROOT } from "./documents.ts"
import { newFolder, type Snippet, writeSnippets } from "./snippets.ts"

const run = promisify(execFile)
const folder = newFolder()
const all = documents()
const snippets = all.flatMap((document) => writeSnippets(document, folder))
const nameOf = ({ block, file }: Snippet): string => `${block.document}:${block.line} ${basename(file)}`

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a file as the documents tell their readers to, with no setting of this process. */
function execute(file: string): Promise<{ stdout: string; stderr: string }> {
  const { PATH, HOME, SystemRoot } = process.env
  const env = { PATH, HOME, SystemRoot, TRESTLE_LOG: "silent" } as NodeJS.ProcessEnv
  return run(process.execPath, ["--conditions=trestle-source", file], { cwd: dirname(file), env, timeout: 20_000 })
}

describe("code in documents", () => {
  test("there is some", () => expect(snippets.length).toBeGreaterThan(30))

  test("every ```ts block: compiles", async () => {
    const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc")
    const { stdout } = await run(process.execPath, [compiler, "--project", folder], { cwd: folder }).catch((error) => error)
    expect(stdout.split("\n").filter(Boolean).map(inDocument)).toEqual([])
  })

  test.each(snippets.filter(({ block }) => block.words.includes("run")).map((snippet) => [nameOf(snippet), snippet] as const))(
    "%s: runs",
    async (_name, { file }) => {
      await execute(file)
    },
  )
})

/** `notes/1/app.ts(3,5): error` as `docs/x.md:40: error`. */
function inDocument(message: string): string {
  const match = /^(.*?)\((\d+),\d+\): (.*)$/.exec(message)
  const snippet = match && snippets.find(({ file }) => file === join(folder, match[1]!))
  return match && snippet ? `${snippet.block.document}:${Number(match[2]) + snippet.offset}: ${match[3]}` : message
}

describe("docs/reference/findings.md: examples", () => {
  let found: Record<string, string[]> = {}
  const examples = snippets.filter(({ block }) => block.words.includes("wrong") || block.words.includes("right"))
  const checked = examples.filter(({ block }) => /^TRS10/.test(block.heading))

  beforeAll(async () => {
    const files = checked.map(({ file }) => file)
    const { stdout } = await run(process.execPath, [
      "--conditions=trestle-source",
      join(import.meta.dirname, "check-examples.ts"),
      ...files,
    ])
    found = JSON.parse(stdout)
  })

  test("there are some", () => expect(checked.length).toBeGreaterThan(20))

  test.each(checked.map((snippet) => [`${snippet.block.heading.slice(0, 7)} ${snippet.block.words[0]}`, snippet] as const))(
    "%s → as it says",
    (_name, { block, file }) => {
      const codes = found[file]!
      if (block.words.includes("wrong")) expect(codes).toContain(block.heading.slice(0, 7))
      else expect(codes).toEqual([])
    },
  )
})
