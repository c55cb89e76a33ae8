/** In-process calls: one process per subject and round, interleaved; each tells CPU nanoseconds a call. */
import { saveResults } from "../harness/environment.ts"
import { launch, nextMessage, SUBJECT_CORE, stop } from "../harness/processes.ts"
import { median, printTable, progress, range } from "../harness/report.ts"
import type { CallResult } from "./measure.ts"

interface CallSubject {
  name: string
  file: string
  reference?: true
  checksInput?: false
  nodeArgs?: string[]
}

const file = (name: string) => new URL(`./${name}.ts`, import.meta.url).pathname

const subjects: CallSubject[] = [
  { name: "plain async function", file: file("plain"), checksInput: false },
  { name: "plain async function + zod both ways (reference)", file: file("plain-zod"), reference: true },
  { name: "oRPC server-side client", file: file("orpc") },
  { name: "oRPC server-side client + role", file: file("orpc-role") },
  { name: "tRPC caller", file: file("trpc") },
  { name: "trestle as(principal), log and metrics on", file: file("trestle"), nodeArgs: ["--conditions=trestle-source"] },
]

export async function benchCalls(quick: boolean, only: string | undefined): Promise<boolean> {
  console.log("In-process call, Zod in and out\n")
  const wanted = subjects.filter((subject) => subject.reference || !only || subject.file.includes(only))
  const rounds = new Map<string, number[]>(wanted.map(({ name }) => [name, []]))
  const refused = new Map<string, string>()
  for (let round = 1; round <= (quick ? 3 : 5); round++) {
    for (const subject of wanted) if (!refused.has(subject.name)) await runOnce(subject, quick, rounds, refused)
  }
  printResults(wanted, rounds, refused)
  progress(`raw results: ${saveResults("call", quick, { nanosPerCall: Object.fromEntries(rounds), refused: Object.fromEntries(refused) })}`)
  return [...refused.keys()].every((name) => name.startsWith("trestle"))
}

async function runOnce(subject: CallSubject, quick: boolean, rounds: Map<string, number[]>, refused: Map<string, string>): Promise<void> {
  const env = { ROUND_MS: quick ? "300" : "1200", CHECKS_INPUT: subject.checksInput === false ? "no" : "yes" }
  const child = launch({ core: SUBJECT_CORE, file: subject.file, nodeArgs: subject.nodeArgs ?? [], env })
  try {
    const { nanos } = await nextMessage<CallResult>(child, 60_000)
    rounds.get(subject.name)!.push(median(nanos))
    progress(`${subject.name}: ${median(nanos).toFixed(0)} ns`)
  } catch (error) {
    refused.set(subject.name, `${subject.name.startsWith("trestle") ? "not available yet: " : ""}${(error as Error).message}`)
    progress(`${subject.name}: ${refused.get(subject.name)}`)
  } finally {
    await stop(child)
  }
}

function printResults(wanted: CallSubject[], rounds: Map<string, number[]>, refused: Map<string, string>): void {
  const reference = median(rounds.get(wanted.find((subject) => subject.reference)!.name)!)
  const rows = wanted.map(({ name }) => {
    const nanos = rounds.get(name)!
    if (refused.has(name) || nanos.length === 0) return [name, "see below"]
    return [name, median(nanos).toFixed(0), range(nanos, 0), (median(nanos) / reference).toFixed(2), (1e9 / median(nanos)).toFixed(0)]
  })
  console.log()
  printTable(["subject", "CPU ns/call", "min-max", "ratio", "calls/s"], rows)
  for (const [name, reason] of refused) console.log(`${name}: ${reason}\n`)
}
