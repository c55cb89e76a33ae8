// Runs seeds without a test runner: node --conditions=trestle-source test/simulation/run.ts [first] [count]. Stops at the first that breaks.
import { simulate } from "./simulate.ts"

const [first = 1, count = 2_000] = process.argv.slice(2).map(Number)
for (let seed = first; seed < first + count; seed++) {
  const broken = await simulate(seed)
  if (broken.length === 0) continue
  console.log(`seed ${seed}:\n  ${broken.join("\n  ")}`)
  process.exit(1)
}
console.log(`${count} seeds from ${first}: every invariant held`)
