import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { loadEnvironment, placesOf } from "./environment.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trestle-env-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const put = (file: string, text: string): void => writeFileSync(join(folder, file), text)
const load = (process: Record<string, string | undefined> = {}, environment?: string) =>
  loadEnvironment({ folder, process, ...(environment ? { environment } : {}) })

describe("loadEnvironment: the name", () => {
  it("TRESTLE_ENV and NODE_ENV → TRESTLE_ENV", () => expect(load({ TRESTLE_ENV: "staging", NODE_ENV: "production" }).name).toBe("staging"))
  it("NODE_ENV alone → NODE_ENV", () => expect(load({ NODE_ENV: "production" }).name).toBe("production"))
  it("both empty → development", () => expect(load({ TRESTLE_ENV: "", NODE_ENV: "" }).name).toBe("development"))
  it("given → wins over both", () => expect(load({ TRESTLE_ENV: "staging" }, "test").name).toBe("test"))
})

describe("loadEnvironment: the layers", () => {
  beforeEach(() => {
    put(".env", "A=base\nB=base\nC=base\nD=base")
    put(".env.development", "A=dev\nB=dev\nC=dev")
    put(".env.local", "A=local\nB=local")
    put(".env.production", "A=prod\nE=prod")
  })

  it.each([
    ["A", "shell", "the shell"],
    ["B", "local", ".env.local"],
    ["C", "dev", ".env.development"],
    ["D", "base", ".env"],
  ])("%s → %s from %s", (name, value, source) => expect(load({ A: "shell" }).get(name)).toMatchObject({ value, source }))

  it("a file of another environment → not read", () => expect(load().get("E")).toBeUndefined())
  it("a shadowed variable → names the places whose value differs", () => {
    put(".env", "A=shell")
    expect(load({ A: "shell" }).get("A")?.shadows).toEqual([".env.local", ".env.development"])
  })
  it("an empty variable in the shell → shadows a file's value", () =>
    expect(load({ A: "" }).get("A")).toMatchObject({ value: "", source: "the shell" }))
  it("an undefined entry of the process → not a variable", () => expect(load({ A: undefined }).get("A")?.source).toBe(".env.local"))
  it("names → each once", () => expect(load({ A: "1", Z: "1" }).names().sort()).toEqual(["A", "B", "C", "D", "Z"]))
  it("sources → in order, and for people with the folder", () => {
    const environment = load()
    expect(environment.sources).toEqual(["the shell", ".env.local", ".env.development", ".env"])
    expect(placesOf(environment)).toBe(`the shell, .env.local, .env.development, .env in ${folder}`)
  })
  it("the environment `local` → .env.local is read once", () =>
    expect(load({}, "local").sources).toEqual(["the shell", ".env.local", ".env"]))
  it("read by Node itself (--env-file) → from that file, where the shell has not set another value", () => {
    put("demo.env", "A=demo\nB=demo\nF=demo\nG=gone")
    const environment = loadEnvironment({ folder, process: { A: "demo", B: "shell", F: "demo" }, flags: ["--env-file=demo.env"] })
    expect(["A", "B", "F", "G"].map((name) => environment.get(name))).toEqual([
      { value: "demo", source: "demo.env", shadows: [".env.local", ".env.development", ".env"] },
      { value: "shell", source: "the shell", shadows: ["demo.env", ".env.local", ".env.development", ".env"] },
      { value: "demo", source: "demo.env", shadows: [] },
      undefined,
    ])
  })
  it.each([
    ["apart from its flag", ["--env-file", "demo.env"]],
    ["if it exists", ["--env-file-if-exists=gone.env", "--env-file-if-exists=demo.env"]],
    ["the last of several", ["--env-file=demo.env", "--no-warnings", "--env-file=gone.env"]],
  ])("a file of Node's, %s → known", (_, flags) => {
    put("demo.env", "A=demo")
    expect(loadEnvironment({ folder, process: { A: "demo" }, flags }).get("A")?.source).toBe("demo.env")
  })
  it("a later change of the process → not seen", () => {
    const process: Record<string, string> = { X: "before" }
    const environment = load(process)
    process.X = "after"
    expect(environment.get("X")?.value).toBe("before")
  })
  it("process.env → unchanged", () => {
    load()
    expect(process.env.D).not.toBe("base")
  })
})

describe("loadEnvironment: files", () => {
  it("none → no finding", () => expect(load().findings).toEqual([]))
  it("a folder that does not exist → no finding", () =>
    expect(loadEnvironment({ folder: join(folder, "no"), process: {} }).findings).toEqual([]))
  it("quotes, comments, export, CRLF, byte order mark → as parseEnv reads them", () => {
    put(".env", "\ufeffA=\"a b\"\r\n# no\r\nexport B=2 # why\r\nC='x#y'\r\n")
    const environment = load()
    expect(["A", "B", "C"].map((name) => environment.get(name)?.value)).toEqual(["a b", "2", "x#y"])
  })
  it("a variable named constructor or toString → only when set", () => {
    put(".env", "constructor=1")
    expect(load().get("constructor")?.value).toBe("1")
    expect(load().get("toString")).toBeUndefined()
  })
  it("a folder named .env → a finding, the other files count", () => {
    mkdirSync(join(folder, ".env"))
    put(".env.local", "A=1")
    const environment = load()
    expect(environment.findings).toMatchObject([{ code: "TRS2005", severity: "error", at: join(folder, ".env") }])
    expect(environment.findings[0]?.message).toContain("EISDIR")
    expect(environment.get("A")?.value).toBe("1")
  })
  it.skipIf(process.getuid?.() === 0)("a file without permission → a finding", () => {
    put(".env", "A=1")
    chmodSync(join(folder, ".env"), 0)
    expect(load().findings).toMatchObject([{ code: "TRS2005", fix: expect.stringContaining("chmod") }])
  })
})
