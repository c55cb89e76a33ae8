/**
 * `npm run reliability -- <r3|r4|...|flow-kills> [options]`: the long form of one reliability test; without a name, the list.
 *
 * Each is a file `r<number>-<subject>.ts` beside this one, or one named after what it does, that exports `goal`, a sentence, and `run(args)`,
 * which prints its figures and says whether the goal was met. The exit code is 0 when it was, 1 when it was missed, 2 for a name that there is not.
 */
import { readdirSync } from "node:fs"

/** What each file of this folder that is named after a goal exports. */
export interface ReliabilityTest {
  readonly goal: string
  /** @param args what follows the name on the command line */
  run(args: readonly string[]): Promise<boolean>
}

const [wanted, ...args] = process.argv.slice(2)
const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith(".ts") && file !== "run.ts")
const file = files.find((file) => nameOf(file) === wanted)
if (file === undefined) {
  console.error("usage: npm run reliability -- <name> [options]\n")
  for (const one of files.sort(byNumber)) console.error(`  ${nameOf(one).padEnd(10)} ${(await load(one)).goal}`)
  process.exit(2)
}
const test = await load(file)
console.log(`${file.replace(".ts", "")}: ${test.goal}`)
const isMet = await test.run(args)
console.log(isMet ? "goal met" : "GOAL MISSED")
process.exit(isMet ? 0 : 1)

function load(name: string): Promise<ReliabilityTest> {
  return import(`./${name}`)
}

/** `r3` of `r3-faults.ts`. */
function nameOf(file: string): string {
  return /^r\d+/.exec(file)?.[0] ?? file.replace(".ts", "")
}

function byNumber(one: string, other: string): number {
  const numberOf = (file: string): number => Number(/^r(\d+)/.exec(file)?.[1] ?? Number.MAX_SAFE_INTEGER)
  return numberOf(one) - numberOf(other)
}
