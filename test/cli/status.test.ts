import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { APP, APP_WITH_FINDING, APP_WITH_SECRET, folder, json, trestle } from "./kit.ts"

describe("status", () => {
  test("the board on stdout, what the application prints on stderr", async () => {
    const { code, stdout, stderr } = await trestle(["status"], { cwd: folder({ "app.ts": APP }) })
    expect(code).toBe(0)
    expect(stderr).toBe("noise of the application\n")
    expect(stdout).toMatch(/^placeholder 1\n○ notes\.summary {2}GET \/notes\/summary {2}placeholder {2}waiting for the model\n\nwired 5\n/)
    expect(stdout).toMatch(/^◔ far\.show +GET \/far +rest far$/m)
    expect(stdout).toMatch(/^◔ notes\.clear +internal +code$/m)
    expect(stdout).toContain("notes: 6 operations, no findings\n○◔◔◔◔◔\n1 placeholder · 5 wired · 0 verified · 0 live\n")
  })

  test.each(["other.ts", "src/other"])("%s in the place of an operation → the option that names the file", async (file) => {
    const { code, stderr } = await trestle(["status", file], { cwd: folder({ "app.ts": APP }) })
    expect({ code, help: stderr.split("\n").find((line) => line.includes("help:")) }).toEqual({
      code: 2,
      help: expect.stringContaining(`--app ${file}`),
    })
  })

  test("--json", async () => {
    const ran = await trestle(["status", "--json"], { cwd: folder({ "app.ts": APP }) })
    expect(json(ran)).toMatchObject({
      schema: "trestle.status/1",
      ok: true,
      findings: [],
      summary: {
        app: "notes",
        operations: 6,
        placeholder: 1,
        wired: 5,
        verified: 0,
        live: 0,
        progress: "1 placeholder · 5 wired · 0 verified · 0 live",
      },
      operations: expect.arrayContaining([
        {
          operation: "notes.summary",
          state: "placeholder",
          why: "waiting for the model",
          backend: "placeholder",
          services: [],
          http: "GET /notes/summary",
          on: null,
          every: null,
          effect: "read",
          seenAt: null,
          seenBy: null,
          contract: expect.stringMatching(/^[0-9a-f]{12}$/),
          deprecated: null,
        },
      ]),
    })
  })

  test.each([
    [["notes.*"], 5],
    [["notes"], 5],
    [["*.show"], 1],
    [["**"], 6],
    [["far", "notes.list"], 2],
  ])("targets %j: %i operations", async (targets, count) => {
    expect(json(await trestle(["status", "--json", ...targets], { cwd: folder({ "app.ts": APP }) })).summary.operations).toBe(count)
  })

  test("a target that names nothing: exit 2, nearest match", async () => {
    const { code, stderr } = await trestle(["status", "notes.lst"], { cwd: folder({ "app.ts": APP }) })
    expect(code).toBe(2)
    expect(stderr).toContain('Did you mean "notes.list"?')
  })

  test("needs no secret", async () => {
    expect(await trestle(["status"], { cwd: folder({ "app.ts": APP_WITH_SECRET }) })).toMatchObject({ code: 0 })
  })

  test("findings: exit 1, printed like a compiler's, the board all the same", async () => {
    const cwd = folder({ "app.ts": APP_WITH_FINDING })
    const { code, stdout, stderr } = await trestle(["status"], { cwd })
    expect(code).toBe(1)
    expect(stdout).toContain("1 finding\n")
    expect(stderr).toMatch(/^error\[TRS1002\]: list has an http entrance and nobody may call it\n {2}--> app\.ts:4\n/)
    expect(stderr).toMatch(/^ {2}> 4 \| const list = op\(\{$/m)
    expect(stderr).toMatch(/^ {2}why: {2}\S/m)
    expect(stderr).toMatch(/^ {2}help: allow: role\("recruiter"\)/m)
    const ran = await trestle(["status", "--json"], { cwd })
    expect(json(ran)).toMatchObject({
      ok: false,
      findings: [{ code: "TRS1002", file: join(cwd, "app.ts"), line: 4 }],
      summary: { findings: 1 },
    })
  })
})

describe("openapi", () => {
  test("the document on stdout, without a secret", async () => {
    const ran = await trestle(["openapi"], { cwd: folder({ "app.ts": APP_WITH_SECRET }) })
    expect(ran.code).toBe(0)
    expect(json(ran)).toMatchObject({ openapi: "3.1.0", info: { title: "secretive" }, paths: { "/it": { get: { operationId: "show" } } } })
  })

  test("--out writes it, --json tells of it", async () => {
    const cwd = folder({ "app.ts": APP })
    const ran = await trestle(["openapi", "--out", "api.json", "--json"], { cwd })
    expect(json(ran)).toMatchObject({ schema: "trestle.openapi/1", ok: true, summary: { out: "api.json", version: "1.2.0" } })
    expect(JSON.parse(readFileSync(join(cwd, "api.json"), "utf8")).info.title).toBe("notes")
  })

  test("--out that cannot be written: exit 2", async () => {
    const cwd = folder({ "app.ts": APP })
    expect(await trestle(["openapi", "--out", "no/such/api.json"], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("ENOENT"),
    })
    expect(existsSync(join(cwd, "no"))).toBe(false)
  })
})
