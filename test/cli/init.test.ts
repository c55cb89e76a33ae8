import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { folder, installInto, json, ROOT, serve, trestle } from "./kit.ts"

const FILES = [".env.example", ".gitignore", "app.test.ts", "app.ts", "package.json", "tsconfig.json"]

/** What `init` has made, installed. */
async function newcomer(): Promise<string> {
  const parent = folder()
  expect(await trestle(["init", "notes"], { cwd: parent })).toMatchObject({ code: 0 })
  installInto(join(parent, "notes"))
  return join(parent, "notes")
}

describe("init in a new folder", () => {
  test("writes six files and prints three commands", async () => {
    const parent = folder()
    const { code, stdout, stderr } = await trestle(["init", "notes"], { cwd: parent })
    expect(code).toBe(0)
    expect(readdirSync(join(parent, "notes")).sort()).toEqual(FILES)
    for (const file of FILES) expect(stdout).toContain(`wrote ${file}\n`)
    expect(stderr).toBe("\nnext:\n  cd notes && npm install\n  npx trestle status\n  npx trestle dev\n")
    const content = JSON.parse(readFileSync(join(parent, "notes/package.json"), "utf8"))
    expect(content).toMatchObject({
      name: "notes",
      type: "module",
      scripts: { start: "trestle serve", dev: "trestle dev", status: "trestle status" },
    })
    expect(Object.keys(content.dependencies)).toEqual(["trestle", "zod"])
  })

  test("nothing is wrong with what was written, and no variable is needed", async () => {
    const cwd = await newcomer()
    expect(json(await trestle(["status", "--json"], { cwd }))).toMatchObject({
      ok: true,
      summary: { app: "notes", operations: 4, placeholder: 1, wired: 3 },
    })
    const { url, stop, ended } = await serve(cwd)
    expect(await (await fetch(`${url}/notes`)).json()).toEqual([])
    expect(await (await fetch(`${url}/notes/summary`)).json()).toEqual({ summary: "Nothing has been read yet." })
    const key = (await trestle(["keys", "create", "--name", "me", "--role", "writer"], { cwd })).stdout.trim()
    // A running server looks at the keys once a second.
    const call = () => trestle(["call", "notes.create", '{"text":"hello"}', "--url", url, "--key", "KEY"], { cwd, env: { KEY: key } })
    await expect
      .poll(call, { timeout: 10_000, interval: 300 })
      .toMatchObject({ code: 0, stdout: expect.stringContaining('"text": "hello"') })
    stop("SIGTERM")
    expect(await ended).toMatchObject({ code: 0 })
  })

  test("its service is called as its documentation says", async () => {
    const asked: string[] = []
    const weather = createServer((request, reply) => {
      asked.push(request.url!)
      reply.setHeader("content-type", "application/json").end('{"latitude":48,"current":{"time":"2026-11-22T08:00","temperature_2m":7.5}}')
    })
    await new Promise<void>((resolve) => weather.listen(0, "127.0.0.1", resolve))
    const WEATHER_URL = `http://127.0.0.1:${(weather.address() as AddressInfo).port}`
    const ran = await trestle(["call", "weather.current", '{"latitude":48,"longitude":11.5}'], {
      cwd: await newcomer(),
      env: { WEATHER_URL },
    })
    weather.close()
    expect(json(ran)).toEqual({ celsius: 7.5 })
    expect(asked).toEqual(["/v1/forecast?latitude=48&longitude=11.5&current=temperature_2m"])
  })

  test("its own test passes", async () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=trestle-source", "--test"], {
      cwd: await newcomer(),
      encoding: "utf8",
      env: { PATH: process.env.PATH },
    })
    expect(stdout + stderr).toMatch(/pass 2\n/)
    expect(status).toBe(0)
  })

  test.each([
    ["TypeScript 7", "node_modules/typescript/bin/tsc"],
    ["TypeScript 5.9", "node_modules/typescript-5.9/bin/tsc"],
  ])("compiles, strict, under %s", async (_, compiler) => {
    const cwd = await newcomer()
    // The sources stand in for the package's type declarations, and need more of the library than an application does.
    const args = [
      join(ROOT, compiler),
      "--customConditions",
      "trestle-source",
      "--lib",
      "es2024,esnext.disposable,dom",
      "--pretty",
      "false",
    ]
    const { stdout } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" })
    expect(stdout.split("\n").filter((line) => /^app|^error/.test(line))).toEqual([])
    writeFileSync(join(cwd, "app.wrong.ts"), readFileSync(join(cwd, "app.ts"), "utf8").replace('summary: "Nothing', 'sumary: "Nothing'))
    expect(spawnSync(process.execPath, args, { cwd, encoding: "utf8" }).stdout).toMatch(/^app\.wrong\.ts.*sumary/m)
  })
})

describe("init where something is already", () => {
  test("a second time: everything is kept, exit 0", async () => {
    const cwd = folder()
    await trestle(["init"], { cwd })
    const before = FILES.map((file) => readFileSync(join(cwd, file), "utf8"))
    const { code, stdout, stderr } = await trestle(["init"], { cwd })
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    for (const file of ["app.ts", "tsconfig.json", ".env.example"]) expect(stderr).toContain(`warning[TRS3009]: ${file} is kept as it is`)
    expect(FILES.map((file) => readFileSync(join(cwd, file), "utf8"))).toEqual(before)
  })

  test("a package that npm init has just made becomes a module, with what it had", async () => {
    const text =
      '{\n    "name": "mine",\n    "type": "commonjs",\n    "scripts": { "test": "echo \\"Error: no test specified\\" && exit 1", "start": "mine" }\n}\n'
    const cwd = folder({ "package.json": text, ".gitignore": "node_modules\nsecret.txt" })
    const { stdout, stderr } = await trestle(["init"], { cwd })
    const after = readFileSync(join(cwd, "package.json"), "utf8")
    expect(JSON.parse(after)).toMatchObject({
      name: "mine",
      type: "module",
      scripts: { start: "mine", dev: "trestle dev", status: "trestle status", test: "node --test" },
    })
    expect(after).toMatch(/^ {4}"name"/m)
    expect(stdout).toContain(
      'added to package.json: "type": "module", scripts dev, status, test, typecheck, devDependencies @types/node, typescript\n',
    )
    expect(readFileSync(join(cwd, ".gitignore"), "utf8")).toBe("node_modules\nsecret.txt\n.trestle/\n.env.local\n")
    expect(stderr).toContain("  npm i trestle zod\n")
  })

  test("a CommonJS package with code stays one: the application is an .mts file that is found", async () => {
    const cwd = folder({ "package.json": '{ "type": "commonjs" }', "index.js": "module.exports = 1" })
    await trestle(["init"], { cwd })
    expect(JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"))).toMatchObject({ type: "commonjs", trestle: { app: "app.mts" } })
    expect(await trestle(["status"], { cwd })).toMatchObject({ code: 0 })
    expect(execFileSync(process.execPath, ["-p", "require('./index.js')"], { cwd, encoding: "utf8" })).toBe("1\n")
  })

  test("an application elsewhere is not doubled", async () => {
    const cwd = folder({ "src/app.ts": "" })
    const { stderr } = await trestle(["init"], { cwd })
    expect(existsSync(join(cwd, "app.ts"))).toBe(false)
    expect(stderr).toContain("src/app.ts is kept as it is")
  })

  test("--dry-run writes nothing", async () => {
    const cwd = folder()
    const ran = await trestle(["init", "new", "--dry-run", "--json"], { cwd })
    expect(json(ran)).toMatchObject({
      schema: "trestle.init/1",
      ok: true,
      summary: { dryRun: true, written: expect.arrayContaining(["app.ts"]) },
    })
    expect(existsSync(join(cwd, "new"))).toBe(false)
  })

  test("a package.json that is no JSON: exit 3, nothing written", async () => {
    const cwd = folder({ "package.json": "{" })
    expect(await trestle(["init"], { cwd })).toMatchObject({ code: 3, stderr: expect.stringContaining("package.json cannot be read") })
    expect(existsSync(join(cwd, "app.ts"))).toBe(false)
  })
})
