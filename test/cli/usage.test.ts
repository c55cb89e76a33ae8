import { spawnSync } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { APP, finished, folder, json, ROOT, startTrestle, trestle } from "./kit.ts"

describe("help", () => {
  test("no verb: help on stdout, exit 0", async () => {
    const { code, stdout, stderr } = await trestle([])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const listed = [...stdout.matchAll(/^ {2}(\w+) .* {2,}\S/gm)].map((match) => match[1])
    const inOrder = ["init", "dev", "serve", "status", "doctor", "call", "explain", "verify", "faults", "jobs", "keys", "openapi", "client"]
    expect(listed.filter((verb) => inOrder.includes(verb!))).toEqual(inOrder)
    expect(stdout).toContain("Exit codes:")
    expect(tooWide(stdout)).toEqual([])
  })

  test.each([
    ["init"],
    ["dev"],
    ["explain"],
    ["doctor"],
    ["serve"],
    ["call"],
    ["status"],
    ["openapi"],
    ["verify"],
    ["faults"],
    ["client"],
    ["jobs"],
    ["jobs", "list"],
    ["jobs", "show"],
    ["jobs", "retry"],
    ["jobs", "drop"],
    ["keys"],
    ["keys", "create"],
    ["keys", "list"],
    ["keys", "revoke"],
    ["db"],
    ["db", "status"],
    ["db", "migrate"],
  ])("%s %s --help: on stdout, exit 0", async (...verb) => {
    const { code, stdout, stderr } = await trestle([...verb, "--help"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toContain(`Usage: trestle ${verb.join(" ")}`)
    expect(tooWide(stdout)).toEqual([])
  })

  test("--help loads neither the server nor the log", async () => {
    const trace = spawnSync(
      process.execPath,
      ["--conditions=trestle-source", "--import", `data:text/javascript,${LISTS_MODULES}`, join(ROOT, "bin/trestle.js"), "--help"],
      {
        encoding: "utf8",
      },
    )
    expect(trace.stderr).toContain("/src/cli/program.ts")
    expect(trace.stderr).not.toMatch(/fastify|pino|undici|src\/assembly\/start|src\/runtime/)
  })

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))
    expect(await trestle(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` })
  })
})

/** Lines that a terminal of 80 columns would break. */
function tooWide(text: string): string[] {
  return text.split("\n").filter((line) => line.length > 80)
}

const LISTS_MODULES = encodeURIComponent(`import { registerHooks } from "node:module"
registerHooks({ load(url, context, next) { process.stderr.write(url + "\\n"); return next(url, context) } })`)

describe("wrong usage: exit 2, nothing on stdout, the nearest match", () => {
  test.each([
    [["statsu"], 'no verb "statsu"', 'Did you mean "status"?'],
    [["status", "--jsno"], 'no flag "--jsno"', 'Did you mean "--json"?'],
    [["serve", "--prot", "1"], 'no flag "--prot"', 'Did you mean "--port"?'],
    [["keys", "creat"], 'no verb "creat"', 'Did you mean "create"?'],
    [["keys"], "keys needs one of: create, list, revoke", "trestle keys --help"],
    [["keys", "create"], "--name", "trestle keys create --help"],
    [["call"], "operation", "trestle call --help"],
    [["serve", "extra"], "too many arguments", "trestle serve --help"],
    [["serve", "--port", "x"], '--port is no port: "x"', "--port 4000"],
    [["frobnicate"], 'no verb "frobnicate"', "trestle --help"],
  ])("%j", async (args, message, help) => {
    const { code, stdout, stderr } = await trestle(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toContain(message)
    expect(stderr).toContain(help)
  })

  test("with --json: one document", async () => {
    const ran = await trestle(["statsu", "--json"])
    expect(ran).toMatchObject({ code: 2, stderr: "" })
    expect(json(ran)).toMatchObject({ ok: false, findings: [{ code: "TRS3000", severity: "error", fix: 'Did you mean "status"?' }] })
  })
})

describe("pipes", () => {
  test("no escape sequence without a terminal", async () => {
    const { stdout, stderr } = await trestle(["status"], { cwd: folder({ "app.ts": APP }) })
    expect(stdout + stderr).not.toContain("\u001b")
  })

  test("a reader that goes away: quiet", async () => {
    const child = startTrestle(["openapi"], { cwd: folder({ "app.ts": APP }) })
    child.stdout!.destroy()
    const { code, stderr } = await finished(child)
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/EPIPE|Error/)
  })
})

test("a standard output that takes nothing: said, exit 1", async () => {
  const full = openSync("/dev/full", "w")
  const command = ["--conditions=trestle-source", join(ROOT, "bin", "trestle.js"), "status"]
  const ran = spawnSync(process.execPath, command, { cwd: folder({ "app.ts": APP }), stdio: ["ignore", full, "pipe"], encoding: "utf8" })
  closeSync(full)
  expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining("cannot be written to standard output: ENOSPC") })
})

describe("an old Node", () => {
  const old = ["/usr/local/bin/node", "/usr/bin/node"].find((path) =>
    /^v(1\d|20)\./.test(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout ?? ""),
  )

  test.skipIf(!old)("one sentence on stderr with the fix, exit 3", () => {
    const { status, stdout, stderr } = spawnSync(old!, [join(ROOT, "bin/trestle.js"), "status"], { encoding: "utf8" })
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" })
    expect(stderr).toMatch(
      /^trestle needs Node 22\.19 or newer and this is v\d+\.\d+\.\d+: run `npm i -D node@24`, then start it through an npm script or npx\.\n$/,
    )
  })
})
