/**
 * `npm run reliability -- <r3|r4|...> [options]`: the long form of one reliability test; without a name, the list.
 *
 * Each is a file `r<number>-<subject>.ts` beside this one that exports `goal`, a sentence, and `run(args)`, which prints its figures and
 * says whether the goal was met. The exit code is 0 when it was, 1 when it was missed, 2 for a name that there is not.
 */
import { readdirSync } from "node:fs"

/** What each file of this folder that is named after a goal exports. */
export interface ReliabilityTest {
  readonly goal: string
  /** @param args what follows the name on the command line */
  run(args: readonly string[]): Promise<boolean>
}

const [wanted, ...args] = process.argv.slice(2)
const files = readdirSync(import.meta.dirname).filter((file) => /^r\d+-.*\.ts$/.test(file))
const file = files.find((file) => file.split("-")[0] === wanted)
if (file === undefined) {
  console.error("usage: npm run reliability -- <name> [options]\n")
  for (const one of files.sort(byNumber)) console.error(`  ${one.split("-")[0]!.padEnd(4)} ${(await load(one)).goal}`)
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

function byNumber(one: string, other: string): number {
  return Number.parseInt(one.slice(1), 10) - Number.parseInt(other.slice(1), 10)
}
