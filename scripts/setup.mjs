// Installs the locked dependencies when they are missing or stale, and does nothing (and needs no network) otherwise.
// Plain JavaScript without imports beyond Node's own: it runs before anything is installed, on Node 20 or newer.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const stamp = join(root, "node_modules", ".trestle-setup")
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex")

if (!(existsSync(stamp) && readFileSync(stamp, "utf8") === wanted)) {
  console.error("Installing dependencies (once; later runs need no network) ...")
  const npmCli = process.env.npm_execpath
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"]
  const result = npmCli
    ? spawnSync(process.execPath, [npmCli, ...args], { cwd: root, stdio: ["ignore", 2, 2] })
    : spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2], shell: process.platform === "win32" })
  if (result.status !== 0) {
    console.error("\nThe installation failed. Fix: check the network or the registry setting of npm, then run the same command again.")
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
}
