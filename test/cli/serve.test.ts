import { createServer } from "node:net"
import { expect, test } from "vitest"
import { APP, APP_WITH_FINDING, APP_WITH_SECRET, finished, folder, json, serve, startTrestle, trestle } from "./kit.ts"

test("serve → call over HTTP → keys create → authorized call → keys revoke", async () => {
  const cwd = folder({ "app.ts": APP })
  const { url, ended, stop } = await serve(cwd)
  const call = (args: readonly string[], env: Record<string, string> = {}) => trestle(["call", ...args, "--url", url], { cwd, env })

  expect(await call(["notes.list"])).toMatchObject({ code: 0, stdout: "[]\n" })
  expect(await call(["notes.create", '{"text":"hi"}'])).toMatchObject({ code: 5, stderr: expect.stringContaining("UNAUTHENTICATED") })
  expect(await call(["notes.clear"])).toMatchObject({ code: 2, stderr: expect.stringContaining('no operation "notes.clear"') })
  expect(await call(["notes.lst"])).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "notes.list"?') })
  expect(await call(["far.show"])).toMatchObject({ code: 4 })
  expect(await call(["notes.list", "--key", "NOTES_KYE"], { NOTES_KEY: "x" })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Did you mean NOTES_KEY?"),
  })

  const made = await trestle(["keys", "create", "--name", "me", "--role", "writer"], { cwd })
  const key = made.stdout.trim()
  // A running server looks at the keys once a second.
  const authorized = () => call(["notes.create", '{"text":"hi"}', "--key", "NOTES_KEY"], { NOTES_KEY: key })
  await expect
    .poll(authorized, { timeout: 10_000, interval: 300 })
    .toMatchObject({ code: 0, stdout: expect.stringContaining('"text": "hi"') })
  expect(await call(["notes.create", '{"text":"full"}', "--key", "NOTES_KEY"], { NOTES_KEY: key })).toMatchObject({
    code: 6,
    stderr: expect.stringContaining("FULL"),
  })
  const leaked = await call(["notes.list", "--key", key])
  expect(leaked).toMatchObject({ code: 2, stderr: expect.stringContaining("not the key itself") })
  expect(leaked.stderr).not.toContain(key)

  expect(await trestle(["keys", "revoke", "me", "--yes"], { cwd })).toMatchObject({ code: 0 })
  await expect.poll(authorized, { timeout: 10_000, interval: 300 }).toMatchObject({ code: 5 })

  stop("SIGTERM")
  const { code, stdout, stderr } = await ended
  expect(code).toBe(0)
  expect(stderr).toMatch(/trestle \d+\.\d+\.\d+ {2}notes {2}ready in \d+ ms/)
  expect(stderr).toContain(`${url}/docs`)
  expect(stderr).toMatch(/1 placeholder · 5 wired · 0 verified · 0 live/)
  expect(stderr).toContain(`next: curl ${url}/notes`)
  expect(stdout).toContain("notes.list")
})

test("SIGINT: exit 130", async () => {
  const { ended, stop } = await serve(folder({ "app.ts": APP }))
  stop("SIGINT")
  expect(await ended).toMatchObject({ code: 130 })
})

test("--json: one document when it is ready, the log elsewhere", async () => {
  const child = startTrestle(["serve", "--port", "0", "--json"], { cwd: folder({ "app.ts": APP }) })
  const ended = finished(child)
  await new Promise((resolve) => child.stdout!.once("data", resolve))
  child.kill("SIGTERM")
  const ran = await ended
  expect(ran.code).toBe(0)
  expect(json(ran)).toMatchObject({
    schema: "trestle.serve/1",
    ok: true,
    summary: { app: "notes", url: expect.stringMatching(/^http:\/\/localhost:\d+$/) },
  })
})

test("PORT: the flag wins, a wrong one is refused with its source", async () => {
  const cwd = folder({ "app.ts": APP, ".env.local": "PORT=http" })
  expect(await trestle(["serve"], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('PORT (from .env.local) is no port: "http"'),
  })
  const { url, stop } = await serve(cwd)
  expect(url).toMatch(/:\d+$/)
  stop("SIGTERM")
})

test("a port in use: exit 3, one clear sentence", async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
  const { port } = other.address() as { port: number }
  const { code, stderr } = await trestle(["serve"], { cwd: folder({ "app.ts": APP }), env: { PORT: String(port) } })
  other.close()
  expect(code).toBe(3)
  expect(stderr).toContain(`error[TRS3005]: 127.0.0.1:${port} is already in use`)
})

test.each(["TRESTLE_ENV", "NODE_ENV"])("production (%s) refuses placeholders: TRS3001, exit 3", async (variable) => {
  const cwd = folder({ "app.ts": APP })
  const { code, stderr } = await trestle(["serve", "--port", "0"], { cwd, env: { [variable]: "production" } })
  expect(code).toBe(3)
  expect(stderr).toMatch(/error\[TRS3001\]: notes\.summary is still a placeholder: waiting for the model\n {2}--> app\.ts:\d+/)
  expect(stderr).toContain("allowInProduction")
})

test("production takes a placeholder that is allowed with a reason", async () => {
  const allowed = APP.replace('"waiting for the model"', '{ why: "waiting for the model", allowInProduction: "agreed with Ada" }')
  const { stop, ended } = await serve(folder({ "app.ts": allowed }), { env: { TRESTLE_ENV: "production" } })
  stop("SIGTERM")
  const { code, stdout } = await ended
  expect(code).toBe(0)
  for (const line of stdout.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ name: "notes" })
})

test.each([
  ["declarations", APP_WITH_FINDING, "TRS1002"],
  ["an unset secret", APP_WITH_SECRET, "TRS2002"],
])("a start that is refused (%s): its findings, exit 3", async (_, app, code) => {
  const ran = await trestle(["serve", "--port", "0"], { cwd: folder({ "app.ts": app }) })
  expect(ran).toMatchObject({ code: 3, stdout: "" })
  expect(ran.stderr).toContain(`error[${code}]`)
})

test("no server there: exit 4, nothing has happened", async () => {
  const { code, stderr } = await trestle(["call", "notes.list", "--url", "http://127.0.0.1:1"], { cwd: folder() })
  expect(code).toBe(4)
  expect(stderr).toContain("no answer from http://127.0.0.1:1")
  expect(stderr).toContain("trestle serve")
})
