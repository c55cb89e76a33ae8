/** W3: policies round an async call that succeeds; one process per subject and round, interleaved. */
import { saveResults } from "../harness/environment.ts"
import { launch, nextMessage, SUBJECT_CORE, stop } from "../harness/processes.ts"
import { median, printTable, progress, range } from "../harness/report.ts"
import type { PoliciesResult } from "./measure.ts"

interface Subject {
  readonly name: string
  readonly file: string
  readonly env?: Readonly<Record<string, string>>
}

const SUBJECTS: readonly Subject[] = [
  { name: "bare async call", file: "bare" },
  { name: "written by hand", file: "by-hand" },
  { name: "trestle's policies", file: "trestle" },
  { name: "opossum (no retry)", file: "opossum" },
  { name: "cockatiel, abortOnReturn: false", file: "cockatiel" },
  { name: "cockatiel, as it comes", file: "cockatiel", env: { ABORT_ON_RETURN: "yes" } },
  { name: "Effect (breaker by hand)", file: "effect" },
  { name: "trestle, a whole call in process", file: "trestle-call" },
]
const REFERENCE = "trestle's policies"

export async function benchPolicies(quick: boolean, only: string | undefined): Promise<boolean> {
  console.log("W3: policies round an async call that succeeds\n")
  const wanted = SUBJECTS.filter(({ name, file }) => !only || name === REFERENCE || file.includes(only))
  const rounds = new Map<string, PoliciesResult[]>(wanted.map(({ name }) => [name, []]))
  for (let round = 1; round <= (quick ? 2 : 5); round++) {
    for (const subject of wanted) {
      const result = await runOnce(subject, quick)
      rounds.get(subject.name)!.push(result)
      progress(`round ${round}  ${subject.name}: ${median(result.nanos).toFixed(0)} ns, ${median(result.bytes).toFixed(0)} bytes`)
    }
  }
  printResults(rounds)
  progress(`raw results: ${saveResults("w3", quick, Object.fromEntries(rounds))}`)
  return true
}

async function runOnce({ file, env }: Subject, quick: boolean): Promise<PoliciesResult> {
  const child = launch({
    core: SUBJECT_CORE,
    file: new URL(`./${file}.ts`, import.meta.url).pathname,
    // A young generation that holds all that is allocated while bytes are counted.
    nodeArgs: ["--conditions=trestle-source", "--expose-gc", "--max-semi-space-size=256", "--min-semi-space-size=256"],
    env: { ROUND_MS: quick ? "200" : "1000", ...env },
  })
  try {
    return await nextMessage<PoliciesResult>(child, 60_000)
  } finally {
    await stop(child)
  }
}

function printResults(rounds: ReadonlyMap<string, readonly PoliciesResult[]>): void {
  const nanosOf = (name: string): number[] => rounds.get(name)!.map(({ nanos }) => median(nanos))
  const reference = median(nanosOf(REFERENCE))
  const rows = [...rounds].map(([name, results]) => {
    const nanos = nanosOf(name)
    const bytes = median(results.map((result) => median(result.bytes)))
    return [name, median(nanos).toFixed(0), range(nanos, 0), (median(nanos) / reference).toFixed(2), bytes.toFixed(0)]
  })
  console.log()
  printTable(["subject", "CPU ns/call", "min-max", "ratio", "bytes/call"], rows)
}
