import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { APP, APP_WITH_FINDING, APP_WITH_SECRET, folder, json, trestle } from "./kit.ts"

describe("client", () => {
  test("declarations on stdout, without a secret", async () => {
    const ran = await trestle(["client"], { cwd: folder({ "app.ts": APP_WITH_SECRET }) })
    expect(ran).toMatchObject({ code: 0, stderr: "" })
    expect(ran.stdout).toContain("export interface Api {")
    expect(ran.stdout).toMatch(/readonly show: Exposed<ShowInput, ShowOutput>$/m)
  })

  test("--out writes them; internal operations are not there", async () => {
    const cwd = folder({ "app.ts": APP })
    const ran = await trestle(["client", "--out", "api.d.ts"], { cwd })
    expect(ran).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("wrote api.d.ts\n") })
    const text = readFileSync(join(cwd, "api.d.ts"), "utf8")
    expect(text).toMatch(/readonly create: Exposed<NotesCreateInput, NotesCreateOutput, "FULL">$/m)
    expect(text).not.toMatch(/clear|slow/)
  })

  test("--check: 0 as long as it is what would be written, 1 after a change, with what to do", async () => {
    const cwd = folder({ "app.ts": APP })
    await trestle(["client", "--out", "api.d.ts"], { cwd })
    expect(await trestle(["client", "--out", "api.d.ts", "--check"], { cwd })).toMatchObject({ code: 0, stdout: "" })
    writeFileSync(join(cwd, "api.d.ts"), readFileSync(join(cwd, "api.d.ts"), "utf8").replaceAll("\n", "\r\n"))
    expect(await trestle(["client", "--out", "api.d.ts", "--check"], { cwd })).toMatchObject({ code: 0 })
    writeFileSync(join(cwd, "app.ts"), APP.replace("errors: { FULL: 409 }", "errors: { FULL: 409, LOST: 410 }"))
    const ran = await trestle(["client", "--out", "api.d.ts", "--check"], { cwd })
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain("error[TRS3014]: api.d.ts is not what the application declares now")
    expect(ran.stderr).toContain("help: Run: npx trestle client --out api.d.ts")
    expect(readFileSync(join(cwd, "api.d.ts"), "utf8")).not.toContain("LOST")
  })

  test("--check of a file that is not there: exit 1", async () => {
    const ran = await trestle(["client", "--out", "api.d.ts", "--check"], { cwd: folder({ "app.ts": APP }) })
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("api.d.ts is not there") })
  })

  test("--json: one document", async () => {
    const ran = await trestle(["client", "--json"], { cwd: folder({ "app.ts": APP }) })
    expect(json(ran)).toMatchObject({
      schema: "trestle.client/1",
      ok: true,
      summary: { app: "notes", operations: 4 },
      declarations: expect.stringContaining("export interface Api"),
    })
  })

  test.each([
    ["--check without --out", ["--check"], 2, "--check needs --out"],
    ["--out that cannot be written", ["--out", "no/such/api.d.ts"], 2, "ENOENT"],
  ])("%s: exit %i", async (_, args, exit, said) => {
    const ran = await trestle(["client", ...args], { cwd: folder({ "app.ts": APP }) })
    expect(ran).toMatchObject({ code: exit, stdout: "", stderr: expect.stringContaining(said) })
  })

  test("findings: exit 1, printed", async () => {
    expect(await trestle(["client"], { cwd: folder({ "app.ts": APP_WITH_FINDING }) })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("error[TRS1002]"),
    })
  })
})
