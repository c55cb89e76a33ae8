import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { folder, json, type Ran, trestle } from "./kit.ts"

const keys = (cwd: string, ...args: string[]): Promise<Ran> => trestle(["keys", ...args], { cwd })

test("create: the key alone on stdout, the hint on stderr, only a hash on disk", async () => {
  const cwd = folder()
  const { code, stdout, stderr } = await keys(
    cwd,
    "create",
    "--name",
    "ci",
    "--role",
    "writer",
    "--role",
    "reader",
    "--permission",
    "notes:read",
    "--expires",
    "30d",
    "--principal",
    "ada",
  )
  expect(code).toBe(0)
  expect(stdout).toMatch(/^trs_[0-9a-f]{12}_[\w-]{43}\n$/)
  expect(stderr).toContain("only time")
  expect(stderr).not.toContain(stdout.trim())
  const file = readFileSync(join(cwd, ".trestle/keys.json"), "utf8")
  expect(file).not.toContain(stdout.trim().slice(17))
  const ran = await keys(cwd, "list", "--json")
  expect(json(ran)).toMatchObject({
    ok: true,
    keys: [{ name: "ci", state: "works", roles: ["writer", "reader"], permissions: ["notes:read"], principalId: "ada" }],
  })
  expect(ran.stdout).not.toMatch(/hash|[0-9a-f]{64}/)
})

test("an expiry: 90 days unless said otherwise", async () => {
  const cwd = folder()
  await keys(cwd, "create", "--name", "a")
  await keys(cwd, "create", "--name", "b", "--expires", "never")
  const [a, b] = json(await keys(cwd, "list", "--json")).keys
  expect(Math.round((Date.parse(a.expiresAt) - Date.parse(a.createdAt)) / 86_400_000)).toBe(90)
  expect(b.expiresAt).toBeNull()
})

test("list: a table, never a hash; nothing there: a hint", async () => {
  const cwd = folder()
  expect(await keys(cwd, "list")).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("keys create") })
  expect(existsSync(join(cwd, ".trestle"))).toBe(false)
  await keys(cwd, "create", "--name", "ci", "--role", "writer")
  const { stdout } = await keys(cwd, "list")
  expect(stdout).toMatch(
    /^ID +NAME +STATE +EXPIRES +FOR +ROLES +PERMISSIONS\n[0-9a-f]{12} +ci +works +\d{4}-\d\d-\d\d +key:ci +writer +-\n$/,
  )
})

test("revoke: not without --yes; --dry-run only looks", async () => {
  const cwd = folder()
  await keys(cwd, "create", "--name", "ci")
  expect(await keys(cwd, "revoke", "ci")).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") })
  expect(await keys(cwd, "revoke", "ci", "--dry-run")).toMatchObject({ code: 0, stderr: expect.stringContaining("would revoke") })
  expect(await keys(cwd, "revoke", "c1", "--yes")).toMatchObject({ code: 2, stderr: expect.stringContaining('no key "c1"') })
  expect(json(await keys(cwd, "list", "--json")).summary.working).toBe(1)
  expect(json(await keys(cwd, "revoke", "ci", "--yes", "--json"))).toMatchObject({
    ok: true,
    summary: { revoked: 1 },
    keys: [{ state: "revoked" }],
  })
  expect(await keys(cwd, "revoke", "ci", "--yes")).toMatchObject({ code: 0, stderr: expect.stringContaining("revoked already") })
})

test.each([
  ["a name that is taken", ["--name", "ci"], "ci"],
  ["a name that is none", ["--name", "-"], "--name must be"],
  ["an expiry that is none", ["--name", "x", "--expires", "soon"], '"soon"'],
])("%s: exit 2", async (_, args, said) => {
  const cwd = folder()
  await keys(cwd, "create", "--name", "ci")
  expect(await keys(cwd, "create", ...args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(said) })
})

test("a broken file: exit 3, and it is left as it is", async () => {
  const cwd = folder({ ".trestle/keys.json": "{" })
  expect(await keys(cwd, "list")).toMatchObject({ code: 3, stderr: expect.stringContaining("keys.json") })
  expect(await keys(cwd, "create", "--name", "ci")).toMatchObject({ code: 3, stdout: "" })
  expect(readFileSync(join(cwd, ".trestle/keys.json"), "utf8")).toBe("{")
})

test("TRESTLE_DATA, from .env too", async () => {
  const cwd = folder()
  writeFileSync(join(cwd, ".env"), "TRESTLE_DATA=elsewhere\n")
  await keys(cwd, "create", "--name", "ci")
  expect(existsSync(join(cwd, "elsewhere/keys.json"))).toBe(true)
})
