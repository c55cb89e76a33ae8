/** `node bench/run.ts <w1|w2|w3|w4|w5|call|parts|types|all> [--quick] [--only=part-of-a-subject's-file-name]` */
import { execFileSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { parseArgs } from "node:util"
import { benchFolder } from "./harness/environment.ts"
import { DRIVER_CORE, pinSelf } from "./harness/processes.ts"
import { progress } from "./harness/report.ts"

const names = ["w1", "w2", "w3", "w4", "w5", "call", "parts", "types"] as const
type Name = (typeof names)[number]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
})
const wanted: readonly string[] = positionals[0] === "all" ? names : positionals
if (wanted.length === 0 || !wanted.every((name) => names.includes(name as Name))) {
  console.error("usage: node bench/run.ts <w1|w2|w3|w4|w5|call|parts|types|all> [--quick] [--only=NAME]")
  process.exit(2)
}

installPeers()
pinSelf(DRIVER_CORE)
let right = true
for (const name of wanted) right = (await bench(name as Name)) && right
process.exit(right ? 0 : 1)

/** npm leaves its own copy of the lock behind; an older one means that the peers changed since. */
function installPeers(): void {
  const installed = `${benchFolder}node_modules/.package-lock.json`
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${benchFolder}package-lock.json`).mtimeMs) return
  progress("installing the peers (npm ci in bench/)")
  execFileSync("npm", ["ci", "--no-workspaces"], { cwd: benchFolder, stdio: ["ignore", "inherit", "inherit"] })
}

// loaded late: they import packages that may have to be installed first
async function bench(name: Name): Promise<boolean> {
  if (name === "call") return (await import("./call/bench.ts")).benchCalls(values.quick, values.only)
  if (name === "w3") return (await import("./w3/bench.ts")).benchPolicies(values.quick, values.only)
  if (name === "w4") return (await import("./w4/bench.ts")).benchJobs(values.quick, values.only)
  if (name === "w5") return (await import("./w5/bench.ts")).benchColdStart(values.quick, values.only)
  if (name === "parts") return (await import("./parts/bench.ts")).benchParts(values.quick, values.only)
  if (name === "types") return (await import("./types/bench.ts")).benchTypes(values.quick, values.only)
  const { workloads } = await import("./workloads.ts")
  return (await import("./harness/http-bench.ts")).benchHttp(name, workloads[name], values.quick, values.only)
}
