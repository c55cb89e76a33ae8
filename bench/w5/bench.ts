/** W5: from nothing to the first answer, memory at rest, and what an installation weighs; each subject installed alone, as a user has it. */
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { withUpstream } from "../harness/careful-upstream.ts"
import { benchFolder, saveResults } from "../harness/environment.ts"
import { launch, nextMessage, type Ready, SUBJECT_CORE, stop } from "../harness/processes.ts"
import { median, printTable, progress, range } from "../harness/report.ts"

interface ColdSubject {
  readonly name: string
  readonly file: string
  readonly packages: readonly string[]
}

interface Run {
  readonly firstAnswerMs: number
  readonly idleMiB: number
}

const SUBJECTS: readonly ColdSubject[] = [
  { name: "node:http + undici request (reference)", file: "raw", packages: ["undici"] },
  { name: "Fastify 5 + undici request", file: "fastify", packages: ["fastify", "undici"] },
  { name: "Hono + fetch", file: "hono", packages: ["hono", "@hono/node-server"] },
  { name: "express + undici request", file: "express", packages: ["express", "undici"] },
  { name: "Moleculer + undici request", file: "moleculer", packages: ["moleculer", "moleculer-web", "undici"] },
  { name: "trestle", file: "trestle", packages: ["zod"] },
]
/** After the first answer; then what the start has left behind is collected, or it is not. */
const REST_MS = 2_000

export async function benchColdStart(quick: boolean, only: string | undefined): Promise<boolean> {
  console.log("W5 cold start to the first answer, memory at rest, installed size\n")
  const wanted = SUBJECTS.filter(({ file }) => file === "raw" || !only || file.includes(only))
  const folder = mkdtempSync(join(tmpdir(), "bench-w5-"))
  try {
    const sizes = new Map(wanted.map((subject) => [subject.name, install(subject, folder)]))
    const runs = new Map<string, Run[]>(wanted.map(({ name }) => [name, []]))
    await withUpstream(
      () => ({ status: 200, body: { id: "1", name: "bracket" } }),
      async (upstream) => {
        // The first round fills the disk's cache, for everybody, and does not count.
        for (let round = 0; round <= (quick ? 2 : 7); round++) {
          for (const subject of wanted) {
            const run = await runOnce(join(folder, subject.file, "subject.mjs"), upstream)
            if (round > 0) runs.get(subject.name)!.push(run)
            progress(`round ${round}  ${subject.name}: ${run.firstAnswerMs.toFixed(0)} ms, ${run.idleMiB.toFixed(1)} MiB`)
          }
        }
      },
    )
    print(wanted, runs, sizes)
    progress(`raw results: ${saveResults("w5", quick, { runs: Object.fromEntries(runs), megabytes: Object.fromEntries(sizes) })}`)
    return true
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Installs a subject and what it needs, and gives its size in megabytes. */
function install({ file, packages }: ColdSubject, folder: string): number {
  const place = join(folder, file)
  mkdirSync(place)
  writeFileSync(join(place, "package.json"), '{ "private": true, "type": "module" }\n')
  const npm = (...args: string[]): void => void execFileSync("npm", args, { cwd: place, stdio: ["ignore", "ignore", "inherit"] })
  const versions = JSON.parse(readFileSync(`${benchFolder}package.json`, "utf8")).dependencies
  const exact = packages.map((name) => `${name}@${versions[name]}`)
  if (file === "trestle") {
    execFileSync("npm", ["pack", "--loglevel=error", "--pack-destination", place], {
      cwd: join(benchFolder, ".."),
      stdio: ["ignore", "ignore", "inherit"],
    })
    exact.push(join(place, readdirSync(place).find((name) => name.endsWith(".tgz"))!))
  }
  progress(`installing ${exact.join(" ")}`)
  npm("install", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", ...exact)
  copyFileSync(new URL(`./subjects/${file}.mjs`, import.meta.url), join(place, "subject.mjs"))
  return sizeOf(join(place, "node_modules"))
}

/** What its files take on the disk. */
function sizeOf(folder: string): number {
  const [kilobytes] = execFileSync("du", ["-sk", folder], { encoding: "utf8" }).split("\t")
  return (Number(kilobytes) * 1_024) / 1e6
}

async function runOnce(file: string, upstream: string): Promise<Run> {
  const startedAt = performance.now()
  const child = launch({ core: SUBJECT_CORE, file, env: { UPSTREAM: upstream } })
  try {
    const { port } = await nextMessage<Ready>(child, 30_000)
    const response = await fetch(`http://127.0.0.1:${port}/items/1`)
    const item = (await response.json()) as { name?: string }
    const firstAnswerMs = performance.now() - startedAt
    if (response.status !== 200 || item.name !== "bracket") throw new Error(`wrong answer of ${file}: ${response.status}`)
    await new Promise((resolve) => setTimeout(resolve, REST_MS))
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))!
    return { firstAnswerMs, idleMiB: Number(resident[1]) / 1_024 }
  } finally {
    await stop(child)
  }
}

function print(subjects: readonly ColdSubject[], runs: ReadonlyMap<string, readonly Run[]>, sizes: ReadonlyMap<string, number>): void {
  const rows = subjects.map(({ name }) => {
    const first = runs.get(name)!.map((run) => run.firstAnswerMs)
    const idle = runs.get(name)!.map((run) => run.idleMiB)
    return [name, median(first).toFixed(0), range(first, 0), median(idle).toFixed(1), range(idle, 1), sizes.get(name)!.toFixed(1)]
  })
  printTable(["subject", "first answer ms", "min-max", "idle MiB", "min-max", "installed MB"], rows)
}
