// The suite's core on the oldest and the newest Node that Trestle promises; the tests themselves run on the one in between.
// Needs the registry the first time; the binaries stay in node_modules/.cache.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const majors = ["22", "26"]
const core = ["src", "test/integration", "test/architecture"]

for (const major of majors) {
  const binary = nodeOf(major)
  console.error(`\n> Node ${spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout.trim()}`)
  const env = { ...process.env, PATH: dirname(binary) + delimiter + process.env.PATH }
  const { status } = spawnSync(binary, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...core], { cwd: root, env, stdio: "inherit" })
  if (status !== 0) process.exit(1)
}

/** The package of a platform's binary is a plain archive: no install script runs. */
function nodeOf(major) {
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(root, "node_modules", ".cache", `node-${major}`)
  const binary = join(folder, "node_modules", name, "bin", "node")
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), '{"private":true}')
  const npm = process.env.npm_execpath
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", `${name}@${major}`]
  const { status } = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: folder, stdio: "inherit" })
    : spawnSync("npm", args, { cwd: folder, stdio: "inherit" })
  if (status === 0) return binary
  console.error(`Node ${major} could not be installed. Fix: check the network or the registry setting of npm.`)
  process.exit(1)
}
