import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { APP, finished, folder, json, ROOT, startTrestle, trestle } from "./kit.ts"

const found = async (files: Readonly<Record<string, string>>, args: readonly string[] = []): Promise<unknown> => {
  const ran = await trestle(["status", "--json", ...args], { cwd: folder(files) })
  return { code: ran.code, app: json(ran).summary.app }
}
const named = (name: string): string => APP.replace('name: "notes"', `name: ${JSON.stringify(name)}`)

describe("where the application is found", () => {
  test("--app, before package.json, before the usual files", async () => {
    const files = {
      "package.json": '{ "type": "module", "trestle": { "app": "lib/b.ts" } }',
      "lib/a.ts": named("a"),
      "lib/b.ts": named("b"),
      "app.ts": named("c"),
    }
    expect(await found(files, ["--app", "lib/a.ts"])).toEqual({ code: 0, app: "a" })
    expect(await found(files)).toEqual({ code: 0, app: "b" })
    expect(await found({ ...files, "package.json": '{ "type": "module" }' })).toEqual({ code: 0, app: "c" })
  })

  test.each(["src/app.ts", "app.mjs", "src/app.js", "dist/app.js"])("%s", async (file) => {
    expect(await found({ [file]: APP })).toEqual({ code: 0, app: "notes" })
  })

  test("as the default export", async () => {
    expect(await found({ "app.ts": APP.replace("export const app =", "export default") })).toEqual({ code: 0, app: "notes" })
  })
})

describe("an application that does not load: exit 3, with the fix", () => {
  test.each([
    ["no file", {}, [], "TRS3002", "looked for app.ts, src/app.ts, app.js", "trestle init"],
    ["--app names no file", {}, ["--app", "x.ts"], "TRS3002", "--app names x.ts", "relative to"],
    ["package.json names no file", { "package.json": '{ "trestle": { "app": "x.ts" } }' }, [], "TRS3002", "names x.ts", "relative to"],
    ["no export", { "app.ts": "export const other = 1" }, [], "TRS3004", "it exports other", "export const app = trestle("],
    ["another name", { "app.ts": APP.replace("const app", "const bot") }, [], "TRS3004", "it exports bot", "export const app = bot"],
    ["it throws", { "app.ts": '\nthrow new TypeError("no luck")' }, [], "TRS3003", "TypeError: no luck", "needs no secret"],
    ["a missing package", { "app.ts": 'import "left-out"' }, [], "TRS3003", "left-out", "npm i left-out"],
    ["an import without .ts", { "app.ts": 'import "./users"', "users.ts": "" }, [], "TRS3003", "users", 'from "./users.ts"'],
    ["an enum", { "app.ts": "export enum A { B }" }, [], "TRS3003", "enum", "erasableSyntaxOnly"],
    ["a syntax error", { "app.ts": "const = 1" }, [], "TRS3003", "app.ts does not load", "Correct the file"],
  ] as const)("%s", async (_, files, args, code, message, help) => {
    const ran = await trestle(["status", ...args], { cwd: folder(files as Record<string, string>) })
    expect(ran).toMatchObject({ code: 3, stdout: "" })
    expect(ran.stderr).toContain(`error[${code}]`)
    expect(ran.stderr).toContain(message)
    expect(ran.stderr).toContain(help)
  })

  test("what throws is shown with its line", async () => {
    const { stderr } = await trestle(["status"], { cwd: folder({ "app.ts": 'const a = 1\nthrow new Error("no luck")\n' }) })
    expect(stderr).toContain("--> app.ts:2")
    expect(stderr).toContain('> 2 | throw new Error("no luck")')
  })

  test.each([
    ["waits for ever", "await new Promise(() => {})", "app.ts never ends loading: it waits"],
    ["ends the process, as if all were well", "process.exit(0)", "app.ts never ends loading: it waits"],
    ["ends the process", "process.exit(9)", "app.ts never ends loading: it calls process.exit(9)"],
    ["throws later", 'setTimeout(() => { throw new Error("later") }); await new Promise((r) => setTimeout(r, 60_000))', "later"],
    ["rejects unheard", 'Promise.reject(new Error("unheard")); await new Promise((r) => setTimeout(r, 60_000))', "unheard"],
    ["throws what has no text", "throw Object.create(null)", "does not load: [Object: null prototype] {}"],
  ])("its file %s: exit 3, as JSON too", async (_, text, message) => {
    const ran = await trestle(["status", "--json"], { cwd: folder({ "app.ts": text }) })
    expect(ran.code).toBe(3)
    expect(json(ran).findings).toMatchObject([{ code: "TRS3003", message: expect.stringContaining(message) }])
  })

  test("an endless loop: Ctrl-C ends it", async () => {
    const cwd = folder({ "app.ts": 'process.stderr.write("round and round")\nfor (;;);' })
    const child = startTrestle(["status"], { cwd })
    const ended = finished(child)
    child.stderr!.once("data", () => child.kill("SIGINT"))
    await ended
    expect(child.signalCode).toBe("SIGINT")
  })

  test("Ctrl-C just before its file is imported: heard, exit 130", () => {
    const script = `
      import { endingAtOnce, installSignals } from ${JSON.stringify(join(ROOT, "src/cli/interrupt.ts"))}
      installSignals()
      process.kill(process.pid, "SIGINT")
      await endingAtOnce(async () => {})`
    expect(spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" })).toMatchObject({
      status: 130,
      stderr: "",
    })
  })
})
