import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { describe, expect, test } from "vitest"

async function bundle(contents: string) {
  const made = await build({
    stdin: { contents, resolveDir: `${import.meta.dirname}/../..`, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "esm",
    target: "es2023",
  })
  const code = made.outputFiles[0]!.contents
  return {
    inputs: Object.keys(made.metafile.inputs).filter((path) => path !== "<stdin>"),
    bytes: gzipSync(code, { level: 9 }).length,
    text: made.outputFiles[0]!.text,
  }
}

describe("the client in a browser", () => {
  test("contains only itself", async () => {
    const { inputs, text } = await bundle('export { createClient } from "./src/client/index.ts"')
    expect(inputs.filter((path) => !path.startsWith("src/client/"))).toEqual([])
    expect(text).not.toContain("node:")
  })
  test("is at most 1,088 bytes", async () => {
    expect((await bundle('export { createClient } from "./src/client/index.ts"')).bytes).toBeLessThanOrEqual(1_088)
  })
})

describe("following work in a browser", () => {
  const follow = 'export { follower } from "./src/client/work.ts"'
  test("contains only the client", async () => {
    const { inputs, text } = await bundle(follow)
    expect(inputs.filter((path) => !path.startsWith("src/client/"))).toEqual([])
    expect(text).not.toContain("node:")
  })
  test("is at most 1,000 bytes", async () => expect((await bundle(follow)).bytes).toBeLessThanOrEqual(1_000))
  test("does not come with the client that does not ask for it", async () => {
    const { inputs } = await bundle('export { createClient } from "./src/client/index.ts"')
    expect(inputs).not.toContain("src/client/work.ts")
  })
})

describe("a contract in a browser", () => {
  test.each(["op", "schema", "principal", "reference", "file", "stream"])("%s.ts needs nothing of Node", async (name) => {
    const { text } = await bundle(`export * from "./src/contract/${name}.ts"`)
    expect(text).not.toMatch(/node:|require\(/)
  })
  test("a shared op without via runs there", async () => {
    const { text } = await bundle(
      'import { op } from "./src/contract/op.ts"; import { nothing } from "./src/contract/schema.ts"; export const ping = op({ http: "POST /ping", input: nothing, output: nothing })',
    )
    const shared = await import(`data:text/javascript,${encodeURIComponent(text)}`)
    expect(shared.ping["~op"].contract.http).toBe("POST /ping")
  })
})
