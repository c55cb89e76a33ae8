/** What 600 operations cost the compiler and the editor. TypeScript 5.9's tsserver and tsc, from the root's `typescript-5.9`. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { benchFolder, saveResults } from "../harness/environment.ts"
import { median, printTable, progress } from "../harness/report.ts"
import { type Dialect, dialects } from "./dialects.ts"
import { type Generated, generate } from "./generate.ts"
import { type Completion, TsServer } from "./tsserver.ts"

const typescriptFolder = `${benchFolder}../node_modules/typescript-5.9`
const tsc = `${typescriptFolder}/lib/tsc.js`
const work = `${benchFolder}types/work`
const probes = ["client.", "client.group7."] as const

interface Measured {
  name: string
  completions: Record<(typeof probes)[number], { wallMs: number[]; cpuMs: number[] }>
  server: Diagnostics
  consumer: Diagnostics
}

interface Diagnostics {
  instantiations: number
  types: number
  checkSeconds: number
  memoryMb: number
}

export async function benchTypes(quick: boolean, only: string | undefined): Promise<boolean> {
  console.log("Types: 600 operations in 20 files, TypeScript 5.9\n")
  const wanted = dialects.filter((dialect) => dialect.reference || !only || dialect.name.toLowerCase().includes(only.toLowerCase()))
  const refused = new Map<string, string>()
  const projects = new Map<Dialect, { generated: Generated; measured: Measured }>()
  for (const dialect of wanted) {
    try {
      projects.set(dialect, compile(dialect))
    } catch (error) {
      refused.set(dialect.name, (error as Error).message)
    }
    progress(`compiled ${dialect.name}: ${refused.get(dialect.name) ?? "right"}`)
  }
  await completeInTurn([...projects.values()], quick ? 3 : 9)
  printResults(
    wanted,
    [...projects.values()].map(({ measured }) => measured),
    refused,
  )
  progress(
    `raw results: ${saveResults("types", quick, { measured: [...projects.values()].map(({ measured }) => measured), refused: Object.fromEntries(refused) })}`,
  )
  return [...refused.keys()].every((name) => name === "trestle")
}

/** Generates the projects and lets tsc check the server, write its declarations, and check the consumer of those. */
function compile(dialect: Dialect): { generated: Generated; measured: Measured } {
  const paths = dialect.name === "trestle" ? trestlePaths() : {}
  const generated = generate(`${work}/${dialect.name.toLowerCase()}`, dialect, paths)
  const server = diagnose(["-p", generated.serverProject, "--noEmit"])
  runTsc(["-p", generated.serverProject, "--emitDeclarationOnly", "--outDir", generated.declarations])
  const consumer = diagnose(["-p", generated.consumerProject, "--noEmit"])
  const completions = { "client.": { wallMs: [], cpuMs: [] }, "client.group7.": { wallMs: [], cpuMs: [] } }
  return { generated, measured: { name: dialect.name, completions, server, consumer } }
}

/** Declarations as users get them: the file TRESTLE_TYPES (a .d.ts), or written afresh from the sources. */
function trestlePaths(): Record<string, string[]> {
  const given = process.env.TRESTLE_TYPES
  if (given) return { trestle: [given], "trestle/client": [given] }
  if (!existsSync(`${benchFolder}../src/index.ts`)) throw new Error("not available yet: no src/index.ts")
  const out = `${work}/trestle-declarations`
  try {
    runTsc(["-p", `${benchFolder}../tsconfig.build.json`, "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", out])
  } catch (error) {
    throw new Error(`not available yet: ${(error as Error).message}`)
  }
  return { trestle: [`${out}/index.d.ts`], "trestle/client": [`${out}/client/index.d.ts`] }
}

function runTsc(args: string[]): string {
  const result = spawnSync(process.execPath, ["--max-old-space-size=8192", tsc, ...args], { encoding: "utf8", maxBuffer: 1 << 28 })
  if (result.status !== 0)
    throw new Error(`tsc ${args.slice(0, 2).join(" ")}: ${result.stdout.split("\n").slice(0, 3).join(" | ").slice(0, 600)}`)
  return result.stdout
}

function diagnose(args: string[]): Diagnostics {
  const text = runTsc([...args, "--extendedDiagnostics"])
  const figure = (name: string) => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, "m").exec(text)?.[1] ?? Number.NaN)
  return {
    instantiations: figure("Instantiations"),
    types: figure("Types"),
    checkSeconds: figure("Check time"),
    memoryMb: Math.round(figure("Memory used") / 1_024),
  }
}

/** Round by round, each subject's server in turn: an edit of an operation's file and of the client's, then completions. */
async function completeInTurn(subjects: { generated: Generated; measured: Measured }[], rounds: number): Promise<void> {
  const open = subjects.map((subject) => ({ ...subject, server: openEditor(subject.generated) }))
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const { generated, measured, server } of open) {
        for (const probe of probes) {
          const completion = await editAndComplete(server, generated, probe, `${round}`)
          // the first loads the project
          if (round > 0) measured.completions[probe].wallMs.push(completion.wallMs)
          if (round > 0) measured.completions[probe].cpuMs.push(completion.cpuMs)
          progress(`round ${round}  ${measured.name} ${probe} ${completion.wallMs.toFixed(0)} ms, CPU ${completion.cpuMs.toFixed(0)} ms`)
        }
      }
    }
  } finally {
    for (const { server } of open) server.stop()
  }
}

function openEditor(generated: Generated): TsServer {
  const server = new TsServer(typescriptFolder)
  server.open(generated.operationsFile)
  server.open(
    generated.clientFile,
    probes.map((probe) => `${probe};`),
  )
  return server
}

async function editAndComplete(server: TsServer, generated: Generated, probe: string, comment: string): Promise<Completion> {
  server.edit(generated.operationsFile, comment + probe.length)
  server.edit(generated.clientFile, comment + probe.length)
  const completion = await server.complete(generated.clientFile, probe)
  const expected = probe === "client." ? "group7" : "op7"
  if (!completion.names.includes(expected)) throw new Error(`${generated.folder}: completions behind ${probe} lack ${expected}`)
  return completion
}

function printResults(wanted: Dialect[], measured: Measured[], refused: Map<string, string>): void {
  const reference = measured.find(({ name }) => wanted.find((dialect) => dialect.name === name)?.reference)
  const cpu = (one: Measured, probe: (typeof probes)[number]) => median(one.completions[probe].cpuMs)
  const rows = wanted.map(({ name }) => {
    const one = measured.find((candidate) => candidate.name === name)
    if (!one) return [name, "see below"]
    const walls = probes.map((probe) => median(one.completions[probe].wallMs).toFixed(0))
    const cpus = probes.map((probe) => cpu(one, probe).toFixed(0))
    const ratios = probes.map((probe) => (reference ? (cpu(one, probe) / cpu(reference, probe)).toFixed(2) : "-"))
    const compiled = [
      one.server.instantiations,
      one.server.checkSeconds,
      one.server.memoryMb,
      one.consumer.instantiations,
      one.consumer.checkSeconds,
    ]
    return [name, cpus[0]!, walls[0]!, ratios[0]!, cpus[1]!, walls[1]!, ratios[1]!, ...compiled.map(String)]
  })
  const head = [
    "subject",
    "client. CPU ms",
    "wall ms",
    "ratio",
    "client.group. CPU ms",
    "wall ms",
    "ratio",
    "server instantiations",
    "check s",
    "MB",
    "consumer instantiations",
    "check s",
  ]
  console.log()
  printTable(head, rows)
  for (const [name, reason] of refused) console.log(`${name}: ${reason}\n`)
}
