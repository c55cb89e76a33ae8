import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join, relative } from "node:path"
import { Validator } from "@seriousme/openapi-schema-validator"
import { build } from "esbuild"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { emptyFolder, layOut, npmInstall, npmStart, pack, ROOT, run, type Server } from "./newcomer.ts"

const DOORS = [
  "trestle",
  "trestle/contract",
  "trestle/client",
  "trestle/client/files",
  "trestle/mapping",
  "trestle/connector",
  "trestle/testing",
]
const MINUTE = 60_000

const packing = emptyFolder("pack")
const project = emptyFolder("project")
const installed = join(project, "node_modules", "trestle")
const inProject = (name: string): string => readFileSync(join(project, name), "utf8")
const toProject = (name: string, text: string): void => writeFileSync(join(project, name), text)

let tarball = ""
let copy = ""
let registry: "installed" | "unreachable"
let firstInit: Awaited<ReturnType<typeof run>>
let init: Awaited<ReturnType<typeof run>>

/** Everything that a newcomer types before the first start, in the order of the README. */
beforeAll(async () => {
  ;({ tarball, copy } = await pack(packing))
  expect(await run("npm", ["init", "-y"], project)).toMatchObject({ code: 0 })
  registry = await npmInstall(project, [tarball, "zod@^4"])
  if (registry === "unreachable") await layOut(project, tarball)
  // With the Node of this machine, whatever it is, and then with one that is new enough.
  firstInit = await run("node", [join(installed, "bin", "trestle.js"), "init", "--dry-run"], project)
  if (registry === "installed") registry = await npmInstall(project, ["--save-dev", "node@24"])
  init = await run("npx", ["trestle", "init"], project)
  if (registry === "installed") registry = await npmInstall(project, [])
  if (registry === "unreachable") await layOut(project, tarball)
}, 4 * MINUTE)

afterAll(() => {
  for (const folder of [packing, project]) rmSync(folder, { recursive: true, force: true })
})

test("npm install: takes the tarball, zod and Node 24 from the registry", ({ skip }) => {
  const reason = "the npm registry cannot be reached, so what npm would have installed was laid out from the tarball and from node_modules"
  if (registry === "unreachable" && process.env.CI) expect.fail(`under CI this is an error: ${reason}`)
  if (registry === "unreachable") console.warn(reason)
  skip(registry === "unreachable", reason)
})

describe("the tarball", () => {
  let names: string[]
  const text = (name: string): string => readFileSync(join(installed, name), "utf8")
  beforeAll(() => {
    const all = readdirSync(installed, { recursive: true, withFileTypes: true })
    names = all
      .filter((entry) => entry.isFile())
      .map((entry) => relative(installed, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
      .filter((name) => !name.startsWith("node_modules/"))
  })

  test("holds the package and nothing else", () => {
    expect([...new Set(names.map((name) => name.split("/")[0]))].sort()).toEqual([
      "LICENSE",
      "README.md",
      "bin",
      "dist",
      "docs",
      "package.json",
      "src",
    ])
    expect(names.filter((name) => /\.test[.-]|\.test-d\.|(^|\/)(test|bench|examples)\//.test(name))).toEqual([])
    expect(names.filter((name) => /\.env|keys\.json|\.tsbuildinfo/.test(name))).toEqual([])
  })

  test("names no path of the machine that packed it", () => {
    const places = [ROOT, copy, packing, `${homedir()}/`, `${tmpdir()}/trestle-`]
    expect(names.filter((name) => places.some((place) => text(name).includes(place)))).toEqual([])
  })

  test("has code, types and their source for every module", () => {
    const modules = names.filter((name) => name.startsWith("src/") && name.endsWith(".ts"))
    const lacking = modules.flatMap((name) => {
      const base = name.replace(/^src/, "dist").replace(/\.ts$/, "")
      return [`${base}.js`, `${base}.d.ts`, `${base}.js.map`, `${base}.d.ts.map`].filter((file) => !names.includes(file))
    })
    expect(modules.length).toBeGreaterThan(100)
    expect(lacking).toEqual([])
  })

  test(
    "publint and attw find nothing",
    async () => {
      const { code, stdout, stderr } = await run(process.execPath, [join(ROOT, "scripts", "proof.mjs"), tarball], ROOT)
      expect(code, stdout + stderr).toBe(0)
    },
    2 * MINUTE,
  )
})

describe("an old Node", () => {
  test("reads one sentence; exit 3", ({ skip }) => {
    skip(firstInit.code === 0, "the Node of this machine is new enough")
    expect(firstInit.code).toBe(3)
    expect(firstInit.stdout).toBe("")
    expect(firstInit.stderr).toMatch(/^trestle needs Node 22\.19 or newer and this is v[\d.]+: run `npm i -D node@24`, then .*\.\n$/)
  })
})

const script = async (source: string): Promise<unknown> => {
  toProject("probe.mjs", source)
  // Through npm, whose PATH has the project's own Node.
  const { code, stdout, stderr } = await run("npm", ["exec", "-c", "node probe.mjs"], project)
  rmSync(join(project, "probe.mjs"))
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

describe("the doors", () => {
  test("each: leads to compiled code, with no condition set, and gives functions", async () => {
    const source = `const found = {}
      for (const door of ${JSON.stringify(DOORS)}) {
        const module = await import(door)
        found[door] = { file: import.meta.resolve(door).split("/node_modules/").at(-1), functions: Object.keys(module).filter((name) => typeof module[name] === "function") }
      }
      console.log(JSON.stringify(found))`
    expect(await script(source)).toMatchObject({
      trestle: { file: "trestle/dist/index.js", functions: expect.arrayContaining(["op", "trestle", "rest", "placeholder"]) },
      "trestle/contract": { file: "trestle/dist/contract/index.js", functions: expect.arrayContaining(["op", "role"]) },
      "trestle/client": { file: "trestle/dist/client/index.js", functions: expect.arrayContaining(["createClient"]) },
      "trestle/client/files": { file: "trestle/dist/client/files.js", functions: expect.arrayContaining(["createFileClient"]) },
      "trestle/mapping": { file: "trestle/dist/transform/index.js", functions: expect.arrayContaining(["from", "mapping"]) },
      "trestle/connector": { file: "trestle/dist/contract/connector.js", functions: expect.arrayContaining(["backend", "failure"]) },
      "trestle/testing": { file: "trestle/dist/testing/index.js", functions: expect.arrayContaining(["testApp"]) },
    })
  })

  test("anything else: is closed", async () => {
    const closed = ["dist/index.js", "src/index.ts", "bin/trestle.js", "server", "cli", "contract/op", "dist/cli/main.js", "README.md"]
    const source = `const codes = []
      for (const path of ${JSON.stringify(closed)}) codes.push(await import("trestle/" + path).then(() => "open", (error) => error.code))
      console.log(JSON.stringify(codes))`
    expect(await script(source)).toEqual(closed.map(() => "ERR_PACKAGE_PATH_NOT_EXPORTED"))
  })
})

describe("the store", () => {
  test("an installed package: its thread runs from what is compiled", async () => {
    const dist = join(installed, "dist")
    const source = `import { openSqlite } from ${JSON.stringify(join(dist, "connectors", "sqlite", "open.js"))}
      import { systemClock } from ${JSON.stringify(join(dist, "base", "clock.js"))}
      const settings = { name: "notes", file: "./store.db", durability: "full", busyTimeout: "2s", rowsMax: 10, migratesOnStart: false }
      const session = await openSqlite(settings, { references: { read: (file) => file }, clock: systemClock, isEphemeral: false })
      const store = await session.openStore([{ version: 1, statements: () => ["create table trestle_things (key text)"] }])
      const results = await store.unit([{ text: "insert into trestle_things (key) values (?) returning key", values: ["a"] }])
      await session.close()
      console.log(JSON.stringify(results))`
    expect(await script(source)).toEqual([{ rows: [{ key: "a" }], changes: 1 }])
  })
})

describe("pages", () => {
  test("an installed package: serves them, and the client as modules that call, with nothing but what is compiled", async () => {
    mkdirSync(join(project, "pages"))
    toProject("pages/index.html", "<!doctype html><title>Start</title>")
    const source = `import { anyone, code, op, trestle } from "trestle"
      import { z } from "zod"
      const greet = op({ http: "POST /greetings", input: z.object({ name: z.string() }), output: z.string(), allow: anyone("a test") })
      const ops = { greet: greet.via(code(({ name }) => "Hello, " + name)) }
      process.env.TRESTLE_LOG = "silent"
      const running = await trestle({ name: "paged", ops, pages: new URL("./pages/", import.meta.url) }).start()
      const { url } = await running.listen({ port: 0 })
      const text = async (path) => (await fetch(new URL(path, url))).text()
      // What a browser does with a module's imports.
      const load = async (path) => {
        let whole = await text(path)
        for (const [, name] of whole.matchAll(/from "(\\.\\/[^"]+)"/g))
          whole = whole.replace('"' + name + '"', JSON.stringify("data:text/javascript," + encodeURIComponent(await load(new URL(name, url + path).pathname))))
        return whole
      }
      const client = await load("/rpc/client.js")
      const { createClient } = await import("data:text/javascript," + encodeURIComponent(client))
      console.log(JSON.stringify([await text("/"), await createClient({ url }).greet({ name: "Ada" }), client.includes("sourceMappingURL")]))
      await running.close()`
    expect(await script(source)).toEqual(["<!doctype html><title>Start</title>", "Hello, Ada", false])
    rmSync(join(project, "pages"), { recursive: true })
  })
})

describe("in a browser bundle", () => {
  test("trestle/contract and trestle/client: contain nothing of Node, and work", async () => {
    const contents = `import { createClient } from "trestle/client"
      import { nothing, op, role } from "trestle/contract"
      export const contract = op({ http: "POST /ping", input: nothing, output: nothing, allow: role("x") })
      export const api = (fetch) => createClient({ url: "https://example.org/api", fetch })`
    const made = await build({
      stdin: { contents, resolveDir: project },
      absWorkingDir: project,
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      platform: "browser",
      format: "esm",
      target: "es2022",
    })
    const inputs = Object.keys(made.metafile.inputs).filter((name) => name !== "<stdin>")
    expect(inputs.filter((name) => !/^node_modules\/trestle\/dist\/(base|client|contract|errors)\//.test(name))).toEqual([])
    const { text } = made.outputFiles[0]!
    expect(text).not.toMatch(/node:|require\(|process\.|Buffer/)
    const { contract, api } = await import(`data:text/javascript,${encodeURIComponent(text)}`)
    expect(contract["~op"].contract.http).toBe("POST /ping")
    const asked: string[] = []
    const answer = (url: string): Response => {
      asked.push(url)
      return Response.json({ id: "7" })
    }
    expect(await api(answer).notes.show({ id: "7" })).toEqual({ id: "7" })
    expect(asked).toEqual(["https://example.org/api/rpc/notes.show"])
  })
})

describe("a new application", () => {
  let server: Server | undefined
  afterAll(() => server?.stop())

  test("init: writes it and says what comes next", () => {
    expect(init.code, init.stderr).toBe(0)
    for (const file of ["app.ts", "app.test.ts", "tsconfig.json", ".env.example", ".gitignore"])
      expect(init.stdout).toContain(`wrote ${file}`)
    expect(init.stderr).toContain("npm install")
    expect(JSON.parse(inProject("package.json")).scripts).toMatchObject({ start: "trestle serve", test: "node --test" })
  })

  test("status: shows its operations, finds nothing wrong", async () => {
    const { code, stdout, stderr } = await run("npx", ["trestle", "status"], project)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/○ notes\.summary .* placeholder/)
    expect(stdout).toMatch(/4 operations, no findings\n.*\n1 placeholder · 3 wired · 0 verified · 0 live/)
  })

  test("explain: the pages of codes come with the package", async () => {
    const { code, stdout, stderr } = await run("npx", ["trestle", "explain", "TRS1002"], project)
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^TRS1002: http without allow\n/)
  })

  test("npm test: its own test passes", async () => {
    const { code, stdout, stderr } = await run("npm", ["test"], project)
    expect(code, stdout + stderr).toBe(0)
  })

  test("npm start: answers over HTTP; an operation added to the text is there after a restart", async () => {
    server = await npmStart(project)
    expect(await json("/notes")).toEqual([])
    expect(await json("/notes/summary")).toEqual({ summary: "Nothing has been read yet." })
    expect(await json("/notes/count")).toMatchObject({ status: 404, code: "NOT_FOUND" })
    const before = await json("/openapi.json")
    expect(Object.keys(before.paths)).toEqual(["/notes", "/notes/summary", "/weather"])
    expect(await problemsOf(before)).toEqual([])

    await server.stop()
    await expect(fetch(`${server.url}/notes`)).rejects.toThrow()
    toProject("app.ts", withCount(inProject("app.ts")))
    server = await npmStart(project)
    expect(await json("/notes/count")).toEqual({ count: 0 })
    const after = await json("/openapi.json")
    expect(after.paths["/notes/count"].get.operationId).toBe("notes.count")
    expect(await problemsOf(after)).toEqual([])
  })

  const json = async (path: string): Promise<any> => (await fetch(`${server!.url}${path}`)).json()
  const problemsOf = async (document: Record<string, unknown>): Promise<unknown[]> => {
    const { valid, errors } = await new Validator().validate(structuredClone(document))
    return valid ? [] : [errors].flat()
  }
})

/** What a developer types into `app.ts`. */
function withCount(source: string): string {
  const operation = `export const countNotes = op({
  http: "GET /notes/count",
  input: z.object({}),
  output: z.object({ count: z.number() }),
  allow: anyone("notes are public here"),
}).via(code(() => ({ count: notes.length })))

`
  const changed = source.replace("export const app =", `${operation}$&`).replace("summary: summarizeNotes", "$&, count: countNotes")
  expect(changed.match(/countNotes/g)).toHaveLength(2)
  return changed
}

/** Uses every door; compiles only when each has its types. */
const TYPED = `import { trestle, TrestleError } from "trestle"
import { createClient } from "trestle/client"
import { nothing, op, role } from "trestle/contract"
import { testApp } from "trestle/testing"
import type { app } from "./app.ts"

const ping = op({ http: "POST /ping", input: nothing, output: nothing, allow: role("x") })
const other = trestle({ name: "other", ops: { ping } })
export const api = createClient<typeof app>({ url: "/api" })
export const notes: { id: string }[] = await api.notes.list({})
export const t = await testApp(other)
await t.as({ id: "ada", kind: "user" }).ping()
// @ts-expect-error: its message is text
export const wrongError: number = new TrestleError("INTERNAL").message
// @ts-expect-error: a note's text is a string
await api.notes.create({ text: 1 })
// @ts-expect-error: there is no such operation
await api.notes.creat({ text: "" })
// @ts-expect-error: there is no such operation
await t.as({ id: "ada", kind: "user" }).pong()
// @ts-expect-error: a verb is missing
export const wrongContract = op({ http: "/ping", input: nothing, output: nothing })
`

describe("types, strict, with every declaration checked", () => {
  beforeAll(() => toProject("typed.ts", TYPED))

  test.concurrent.each([
    ["7", "typescript", "nodenext", "nodenext"],
    ["7", "typescript", "esnext", "bundler"],
    ["5.9", "typescript-5.9", "nodenext", "nodenext"],
    ["5.9", "typescript-5.9", "esnext", "bundler"],
  ])(
    "TypeScript %s (%s), module %s, moduleResolution %s: the generated application and every door compile",
    async (_version, compiler, module, resolution) => {
      const settings = ["--module", module, "--moduleResolution", resolution, "--skipLibCheck", "false", "--strict", "--pretty", "false"]
      const tsc = join(ROOT, "node_modules", compiler, "bin", "tsc")
      const { stdout } = await run(process.execPath, [tsc, "-p", project, ...settings], project)
      expect(stdout.split("\n").filter(Boolean)).toEqual([])
    },
    3 * MINUTE,
  )

  test(
    "npm run typecheck: is what init has set up",
    async () => {
      const { code, stdout, stderr } = await run("npm", ["run", "typecheck"], project)
      expect(code, stdout + stderr).toBe(0)
    },
    2 * MINUTE,
  )
})
