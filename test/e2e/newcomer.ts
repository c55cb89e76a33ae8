// A machine that has never seen this repository: what it packs, installed into an empty project as the README says.
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

export const ROOT = join(import.meta.dirname, "..", "..")

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A folder below which nothing of this repository is found by walking up. */
export function emptyFolder(name: string): string {
  return realpathSync(mkdtempSync(join(tmpdir(), `trestle-e2e-${name}-`)))
}

/** The environment of that machine: nothing of the test's own Node, npm script or test runner. */
export function newcomersEnvironment(): NodeJS.ProcessEnv {
  const kept = /^(npm_config_(registry|cache|userconfig)|(?!npm_|NODE_ENV$|NODE_OPTIONS$|VITEST|TRESTLE_|PORT$|INIT_CWD$).*)$/i
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)))
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !/[\\/]node_modules[\\/]/.test(folder))
  return { ...env, PATH: path.join(delimiter), NO_COLOR: "1" }
}

export function run(command: string, args: readonly string[], cwd: string, env = newcomersEnvironment()): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, timeout: 180_000 } as const
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resolve({ code, stdout, stderr: code === -1 ? `${stderr}\n${error}` : stderr })
    })
    child.stdin!.end()
  })
}

/** What `npm pack` needs of the repository; packed apart, so that no other process reads a `dist` that is being written. */
const PACKED_FROM = ["bin", "docs", "scripts", "src", "LICENSE", "README.md", "package.json", "tsconfig.json", "tsconfig.build.json"]

/** Runs `npm pack`, which builds first. */
export async function pack(into: string): Promise<{ readonly tarball: string; readonly copy: string }> {
  const copy = join(into, "repository")
  for (const name of PACKED_FROM) cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"), "junction")
  const { code, stdout, stderr } = await run("npm", ["pack", "--loglevel=error", "--pack-destination", into], copy)
  const name = readdirSync(into).find((file) => file.endsWith(".tgz"))
  if (code !== 0 || name === undefined) throw new Error(`npm pack failed: ${stdout}${stderr}`)
  return { tarball: join(into, name), copy }
}

/** npm's own word for it, the errors of the network, and a proxy that lets nobody through. */
const UNREACHABLE =
  /npm error network|\b(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|E\w+UNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|E403|E407|E50\d)\b/

/** `npm install` with the cache first. `"unreachable"` when the registry is. */
export async function npmInstall(project: string, packages: readonly string[]): Promise<"installed" | "unreachable"> {
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=0", "--fetch-timeout=30000"]
  const { code, stdout, stderr } = await run("npm", ["install", ...flags, ...packages], project)
  if (code === 0) return "installed"
  if (UNREACHABLE.test(stderr)) return "unreachable"
  throw new Error(`npm install failed: ${stdout}${stderr}`)
}

/** What npm would have laid out, from the tarball and from what is installed here. For a machine without a registry. */
export async function layOut(project: string, tarball: string): Promise<void> {
  const modules = join(project, "node_modules")
  rmSync(modules, { recursive: true, force: true })
  mkdirSync(join(modules, ".bin"), { recursive: true })
  mkdirSync(join(modules, "trestle"))
  const { code, stderr } = await run("tar", ["-xzf", tarball, "-C", join(modules, "trestle"), "--strip-components=1"], project)
  if (code !== 0) throw new Error(stderr)
  const { dependencies: needed } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))
  const folders = new Set([...Object.keys(needed), "zod", "node", "typescript", "@types"].map((name) => name.split("/")[0]!))
  for (const name of folders) {
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name), "junction")
  }
  for (const [name, file] of [
    ["trestle", "trestle/bin/trestle.js"],
    ["node", "node/bin/node"],
    ["tsc", "typescript/bin/tsc"],
  ] as const) {
    symlinkSync(join("..", file), join(modules, ".bin", name))
  }
  const about = JSON.parse(readFileSync(join(project, "package.json"), "utf8"))
  const dependencies = { trestle: `file:${tarball}`, zod: "^4.0.0" }
  writeFileSync(join(project, "package.json"), JSON.stringify({ ...about, dependencies }, null, 2))
}

export interface Server {
  readonly url: string
  stop(): Promise<void>
}

/** `npm start` on a free port; resolves when it says where it listens. */
export async function npmStart(project: string): Promise<Server> {
  // A process group of its own, as a terminal gives: Ctrl-C reaches npm, its shell and the server.
  const env = { ...newcomersEnvironment(), PORT: "0" }
  const child = spawn("npm", ["start"], { cwd: project, env, detached: true, stdio: ["ignore", "pipe", "pipe"] })
  const ended = once(child, "close")
  let said = ""
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text
        const found = /API\s+(http:\S+)/.exec(said)?.[1]
        if (found) resolve(found)
      })
    }
    child.once("close", (code) => reject(new Error(`npm start ended with ${code}: ${said}`)))
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) process.kill(-child.pid!, "SIGINT")
    await ended
  }
  return { url, stop }
}
