import { spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { finished, type Ran, ROOT } from "./kit.ts"

/** The package at a place of its own, with these sources. */
function installed(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-compiled-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of ["bin", "package.json"]) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, "src"), join(folder, "src"))
  return folder
}

function version(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const args = ["--conditions=trestle-source", join(folder, "bin/trestle.js"), "--version"]
  return finished(spawn(process.execPath, args, { env: { PATH: process.env.PATH, NODE_DEBUG_NATIVE: "COMPILE_CACHE", ...env } }))
}

/** Whether V8 was given what an earlier start had kept. */
const isTakenUp = ({ stdout, stderr }: Ran): boolean => /cache for .*program\.ts.* was accepted/.test(stdout + stderr)

test("the command line: what is compiled is kept beside the package → the next start takes it up", async () => {
  const folder = installed()
  expect(isTakenUp(await version(folder))).toBe(false)
  expect(existsSync(join(folder, "node_modules/.cache/compiled"))).toBe(true)
  expect(isTakenUp(await version(folder))).toBe(true)
})

test("NODE_DISABLE_COMPILE_CACHE → nothing is kept", async () => {
  const folder = installed()
  const { code } = await version(folder, { NODE_DISABLE_COMPILE_CACHE: "1" })
  expect([code, existsSync(join(folder, "node_modules"))]).toEqual([0, false])
})

test("nothing can be written there → it starts as always, and says nothing of it", async () => {
  const folder = installed()
  mkdirSync(join(folder, "node_modules"))
  writeFileSync(join(folder, "node_modules/.cache"), "a file in the way")
  const { code, stdout, stderr } = await version(folder, { NODE_DEBUG_NATIVE: "" })
  expect({ code, stdout: /^\d+\.\d+\.\d+\n$/.test(stdout), stderr }).toEqual({ code: 0, stdout: true, stderr: "" })
})
