// Compiles src to dist for publishing. Development and tests run the sources themselves.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
rmSync(join(root, "dist"), { recursive: true, force: true })
const compiler = join(root, "node_modules", "typescript", "bin", "tsc")
// `npm pack` on a fresh clone: nothing is installed yet.
if (!existsSync(compiler)) await import("./setup.mjs")
const { status } = spawnSync(process.execPath, [compiler, "--project", join(root, "tsconfig.build.json")], { cwd: root, stdio: "inherit" })
if (status !== 0) process.exit(status ?? 1)

// The compiler rewrites `.ts` in JavaScript only; in declarations not every resolver finds `x.d.ts` for `./x.ts`.
const dist = join(root, "dist")
for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".d.ts")) continue
  const file = join(dist, name)
  const text = readFileSync(file, "utf8")
  writeFileSync(file, text.replace(/((?:from|import\()\s*"\.{1,2}\/[^"]*)\.ts"/g, '$1.js"'))
}
