import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { APP, folder, serve, trestle } from "./kit.ts"

test("TRESTLE_LOG_FILE: JSON lines in the file, nothing on stdout; the lock goes with the process", async () => {
  const cwd = folder({ "app.ts": APP })
  const { url, ended, stop } = await serve(cwd, { env: { TRESTLE_LOG_FILE: "logs/app.log" } })
  await fetch(`${url}/notes`)
  expect(existsSync(join(cwd, "logs/app.log.lock"))).toBe(true)
  stop("SIGTERM")
  expect(await ended).toMatchObject({ code: 0, stdout: "" })
  const lines = readFileSync(join(cwd, "logs/app.log"), "utf8").trim().split("\n")
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining({ operation: "notes.list", outcome: "ok" }))
  expect(existsSync(join(cwd, "logs/app.log.lock"))).toBe(false)
})

test("a second server with the same file: refused, and the first goes on", async () => {
  const cwd = folder({ "app.ts": APP })
  const env = { TRESTLE_LOG_FILE: "app.log" }
  const { url, stop } = await serve(cwd, { env })
  const ran = await trestle(["serve", "--port", "0"], { cwd, env })
  expect(ran).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/error\[TRS3020\]: the log file app\.log cannot be used: process \d+ writes to it/),
  })
  expect((await fetch(`${url}/notes`)).status).toBe(200)
  stop("SIGTERM")
})

test.each([
  ["a limit that is none", { TRESTLE_LOG_FILE: "app.log", TRESTLE_LOG_ROTATE: "often" }, "TRS3019", "TRESTLE_LOG_ROTATE=100mb,1d"],
  ["a path that cannot be", { TRESTLE_LOG_FILE: "file/app.log" }, "TRS3020", "TRESTLE_LOG_FILE="],
])("%s: exit 3, with what to write", async (_, env, code, fix) => {
  const cwd = folder({ "app.ts": APP })
  writeFileSync(join(cwd, "file"), "no folder")
  const ran = await trestle(["serve", "--port", "0"], { cwd, env: { ...env } as Record<string, string> })
  expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining(`error[${code}]`) })
  expect(ran.stderr).toContain(fix)
})
