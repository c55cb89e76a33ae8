/** What each part costs: CPU time a run beside the same work without it, interleaved, a fresh process each. */
import { saveResults } from "../harness/environment.ts"
import { launch, nextMessage, SUBJECT_CORE, stop } from "../harness/processes.ts"
import { median, printTable, progress, range } from "../harness/report.ts"
import type { PartResult } from "./measure.ts"

interface Part {
  readonly name: string
  readonly file: string
  /** The file of the same work without the part. */
  readonly beside: string
}

const PARTS: readonly Part[] = [
  { name: "mapping: a record of six fields", file: "mapping", beside: "mapping-by-hand" },
  { name: "cache: a call that hits", file: "cache-hit", beside: "code" },
  { name: "lastGood: a call that is remembered", file: "last-good", beside: "code" },
  { name: "sqlite: one row by its key, as a call", file: "sqlite", beside: "sqlite-by-hand" },
  { name: "sqlite: the same, beside a call without a database", file: "sqlite", beside: "code" },
]

export async function benchParts(quick: boolean, only: string | undefined): Promise<boolean> {
  console.log("What each part costs\n")
  const parts = PARTS.filter(({ file }) => !only || file.includes(only))
  const files = [...new Set(parts.flatMap(({ file, beside }) => [beside, file]))]
  const rounds = new Map<string, number[]>(files.map((file) => [file, []]))
  for (let round = 1; round <= (quick ? 2 : 5); round++) {
    for (const file of files) {
      const nanos = await runOnce(file, quick)
      rounds.get(file)!.push(nanos)
      progress(`round ${round}  ${file}: ${nanos.toFixed(0)} ns`)
    }
  }
  const rows = parts.map(({ name, file, beside }) => {
    const [own, other] = [rounds.get(file)!, rounds.get(beside)!]
    const difference = median(own) - median(other)
    return [
      name,
      median(other).toFixed(0),
      median(own).toFixed(0),
      range(own, 0),
      difference.toFixed(0),
      (median(own) / median(other)).toFixed(2),
    ]
  })
  printTable(["part", "without ns", "with ns", "min-max", "difference", "ratio"], rows)
  progress(`raw results: ${saveResults("parts", quick, Object.fromEntries(rounds))}`)
  return true
}

async function runOnce(file: string, quick: boolean): Promise<number> {
  const path = new URL(`./${file}.ts`, import.meta.url).pathname
  const child = launch({
    core: SUBJECT_CORE,
    file: path,
    nodeArgs: ["--conditions=trestle-source"],
    env: { ROUND_MS: quick ? "200" : "1000" },
  })
  try {
    return median((await nextMessage<PartResult>(child, 60_000)).nanos)
  } finally {
    await stop(child)
  }
}
