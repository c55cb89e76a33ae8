import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { APP, folder, json, trestle } from "./kit.ts"

/** The document of the kit's application before `change`, beside the application after it. */
async function changed(change: (app: string) => string, args: readonly string[] = []) {
  const cwd = folder({ "app.ts": APP })
  expect(await trestle(["openapi", "--out", "old.json"], { cwd })).toMatchObject({ code: 0 })
  const after = change(APP)
  writeFileSync(join(cwd, "app.ts"), after)
  return { after, ran: await trestle(["openapi", "--against", "old.json", ...args], { cwd }) }
}

describe("openapi --against", () => {
  test("nothing changed: exit 0", async () => {
    const { ran } = await changed((app) => app)
    expect(ran).toMatchObject({ code: 0, stdout: "0 breaking · 0 compatible\n" })
  })

  test("a required field more: exit 1, where, what, and what to do", async () => {
    const { ran } = await changed((app) => app.replace("text: z.string().min(1) })", "text: z.string().min(1), by: z.string() })"))
    expect(ran.code).toBe(1)
    expect(ran.stdout).toMatch(/^✗ +notes\.create +body\.by +input requires a field +absent → string$/m)
    expect(ran.stdout).toContain("\n1 breaking · 0 compatible\n")
    expect(ran.stderr).toContain("error[TRS3013]: notes.create body.by: input requires a field (absent → string)")
    expect(ran.stderr).toContain("help: Make it optional, or give it a default.")
  })

  test("an output field more: exit 0, listed", async () => {
    const { ran } = await changed((app) =>
      app.replace("text: z.string() })\nconst create", "text: z.string(), by: z.string().optional() })\nconst create"),
    )
    expect(ran.code).toBe(0)
    expect(ran.stdout).toMatch(/^\+ +notes\.create +output\.by +output field added +absent → string$/m)
    expect(ran.stdout).toContain("0 breaking · 2 compatible")
  })

  test("a rename: breaking, and what to write; with `was`: compatible", async () => {
    const rename = (app: string) => app.replace("notes: { create, list", "notes: { add: create, list")
    const { ran } = await changed(rename)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('help: Name the earlier path: was: ["notes.create"]')
    const kept = await changed((app) => rename(app).replace("errors: { FULL: 409 }", 'errors: { FULL: 409 }, was: ["notes.create"]'))
    expect([kept.ran.code, kept.ran.stdout]).toEqual([0, expect.stringMatching(/^\+ +notes\.create .*notes\.create → notes\.add$/m)])
  })

  test("--json: one document with every change", async () => {
    const { ran } = await changed((app) => app.replace("errors: { FULL: 409 }", "errors: { FULL: 422 }"), ["--json"])
    expect(json(ran)).toMatchObject({
      schema: "trestle.openapi/1",
      ok: false,
      findings: [{ code: "TRS3013" }],
      summary: { app: "notes", against: "old.json", breaking: 1, compatible: 0 },
      changes: [{ rule: "error-status-changed", is: "breaking", operation: "notes.create", place: "FULL", before: "409", after: "422" }],
    })
  })

  test.each([
    ["a file that is not there", "no.json", "ENOENT"],
    ["a file that is no document", "package.json", "holds no OpenAPI 3 document"],
    ["a file that is no JSON", "app.ts", "holds no OpenAPI 3 document"],
  ])("%s: exit 2", async (_, file, said) => {
    const ran = await trestle(["openapi", "--against", file], { cwd: folder({ "app.ts": APP }) })
    expect(ran).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(said) })
  })

  test("--out beside it: exit 2", async () => {
    const ran = await trestle(["openapi", "--against", "old.json", "--out", "new.json"], { cwd: folder({ "app.ts": APP }) })
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining("do not go together") })
  })
})
