import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const BIN = join(ROOT, "bin", "trestle.js")

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Runs the real command line, its streams being pipes, and waits for its end. */
export async function trestle(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return finished(startTrestle(args, options), options.input)
}

export function startTrestle(args: readonly string[], { cwd = ROOT, env = {} }: RunOptions = {}): ChildProcess {
  const { PATH, HOME } = process.env
  const command = ["--conditions=trestle-source", BIN, ...args]
  return spawn(process.execPath, command, { cwd, env: { PATH, HOME, ...env }, stdio: ["pipe", "pipe", "pipe"] })
}

export function finished(child: ChildProcess, input = ""): Promise<Ran> {
  let stdout = ""
  let stderr = ""
  child.stdout!.setEncoding("utf8").on("data", (text) => {
    stdout += text
  })
  child.stderr!.setEncoding("utf8").on("data", (text) => {
    stderr += text
  })
  child.stdin!.on("error", () => {}).end(input)
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })))
}

/** A folder with these files, in which `trestle` and `zod` can be imported. */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "trestle-cli-"))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  installInto(path)
  for (const [name, text] of Object.entries({ "package.json": '{ "type": "module" }', ...files })) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}

/** What `npm i trestle zod` and the development dependencies would give. */
export function installInto(path: string): void {
  mkdirSync(join(path, "node_modules"), { recursive: true })
  symlinkSync(ROOT, join(path, "node_modules", "trestle"))
  for (const name of ["zod", "pg", "@types"]) symlinkSync(join(ROOT, "node_modules", name), join(path, "node_modules", name))
}

/** Starts `trestle serve` on a free port; resolves when it says where it listens. */
export async function serve(
  cwd: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
) {
  const child = startTrestle(["serve", "--port", "0", ...args], { cwd, env })
  onTestFinished(() => {
    child.kill("SIGKILL")
  })
  const url = new Promise<string>((resolve, reject) => {
    let said = ""
    child.stderr!.on("data", (text) => {
      said += text
      const found = /API\s+(http:\S+)/.exec(said)?.[1]
      if (found) resolve(found)
    })
    child.on("close", () => reject(new Error(`serve ended: ${said}`)))
  })
  const ended = finished(child)
  return { url: await url, ended, stop: (signal: NodeJS.Signals) => child.kill(signal) }
}

/** Of a `--json` answer. */
export function json(ran: Ran): any {
  return JSON.parse(ran.stdout)
}

const HEAD = `import { anyone, apiKeys, bearer, code, env, op, nothing, placeholder, rest, role, secret, trestle } from "trestle"
import { z } from "zod"
`

/** One operation of each kind that the command line treats in its own way. */
export const APP = `${HEAD}
console.log("noise of the application")
const Note = z.object({ id: z.string(), text: z.string() })
const create = op({ http: "POST /notes", input: z.object({ text: z.string().min(1) }), output: Note, errors: { FULL: 409 }, allow: role("writer") })
  .via(code(({ text }, ctx) => (text === "full" ? ctx.fail("FULL", "no room left") : { id: "1", text })))
const list = op({ http: "GET /notes", input: z.object({}), output: z.array(Note), allow: anyone("public") }).via(code(() => { console.log("noise of the call"); return [] }))
const summary = op({ http: "GET /notes/summary", input: z.object({}), output: z.object({ text: z.string() }), allow: anyone("public") })
  .via(placeholder({ text: "nothing yet" }, "waiting for the model"))
const clear = op({ effect: "write", input: nothing, output: nothing }).via(code(() => undefined))
const slow = op({ effect: "read", input: nothing, output: nothing }).via(code(async (_, { signal }) => { console.log("slow has begun"); await new Promise((r) => signal.addEventListener("abort", r)) }))
const far = rest({ url: env("FAR_URL", "http://127.0.0.1:1"), name: "far" })
const show = op({ http: "GET /far", input: z.object({}), output: z.object({ ok: z.boolean() }), allow: anyone("public") }).via(far.call("GET /it", { policy: { retry: 0 } }))
export const app = trestle({ name: "notes", version: "1.2.0", ops: { notes: { create, list, summary, clear, slow }, far: { show } }, authenticate: [apiKeys()] })
`

/** An operation that everybody reaches and nobody may call. */
export const APP_WITH_FINDING = `${HEAD}
const list = op({
  http: "GET /notes",
  input: z.object({}),
  output: z.object({}),
}).via(code(() => ({})))
export default trestle({ name: "notes", ops: { list } })
`

export const APP_WITH_SECRET = `${HEAD}
const crm = rest({ url: "http://127.0.0.1:1", auth: bearer(secret("CRM_TOKEN")), name: "crm" })
const show = op({ http: "GET /it", input: z.object({}), output: z.object({}), allow: anyone("public") }).via(crm.call("GET /it"))
export const app = trestle({ name: "secretive", ops: { show } })
`
