/** What a reader needs to judge the figures. */
import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, loadavg, release } from "node:os"

export const benchFolder: string = new URL("..", import.meta.url).pathname

export function environment() {
  return {
    date: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    loadAverage: loadavg(),
    commit: commit(),
    peers: JSON.parse(readFileSync(`${benchFolder}package.json`, "utf8")).dependencies,
  }
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: benchFolder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  try {
    return git("rev-parse", "HEAD") + (git("status", "--porcelain") ? " with local changes" : "")
  } catch {
    return "unknown"
  }
}

/** Writes the raw results and returns the file's path. Quick runs prove the harness, so they are not kept in git. */
export function saveResults(workload: string, quick: boolean, results: unknown): string {
  const stamp = new Date().toISOString().slice(0, 16).replace(":", "")
  const path = `${benchFolder}results/${workload}-${stamp}${quick ? ".quick.tmp" : ""}.json`
  mkdirSync(`${benchFolder}results`, { recursive: true })
  writeFileSync(path, `${JSON.stringify({ workload, quick, environment: environment(), results }, null, 2)}\n`)
  return path
}
