// Has the package that would be published judged from outside: publint reads it, attw resolves its doors as TypeScript does.
// The tarball is packed first, or is the argument.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const folder = mkdtempSync(join(tmpdir(), "trestle-proof-"))
const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"]
const judge = (name, file) => [process.execPath, join(root, "node_modules", name, file)]

/** @returns {boolean} whether it went well */
function run([command, ...first], ...rest) {
  return spawnSync(command, [...first, ...rest], { cwd: root, stdio: ["ignore", 2, 2] }).status === 0
}

/** `npm pack` builds first: that is the package's `prepack`. */
function pack() {
  return run(npm, "pack", "--loglevel=error", "--pack-destination", folder) ? join(folder, readdirSync(folder)[0]) : null
}

try {
  const tarball = process.argv[2] ? resolve(process.argv[2]) : pack()
  const sound =
    tarball !== null &&
    run(judge("publint", "src/cli.js"), tarball, "--strict") &&
    run(judge("@arethetypeswrong/cli", "dist/index.js"), tarball, "--profile", "esm-only", "--format", "ascii")
  process.exitCode = sound ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
