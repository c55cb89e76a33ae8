// `npm run sim -- --seed N --runs M --world calls|durable`: seeds without a test runner, from N on. It stops at the first that breaks, and says
// how to repeat it; with `--runs 1` it tells the story of that one.
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: { seed: { type: "string" }, runs: { type: "string", default: "1000" }, world: { type: "string" } },
})
const first = Number(values.seed ?? Date.now() % 1_000_000_000)
const runs = Number(values.runs)
const { world = "both" } = values
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(runs) || runs < 1 || !["calls", "durable", "both"].includes(world)) {
  console.error("usage: npm run sim -- [--seed <whole number>] [--runs <1 or more>] [--world calls|durable]")
  process.exit(2)
}
console.log(`simulating from seed ${first}, ${runs} of each world`)
const tell = runs === 1 ? (line: string) => console.log(`  ${line}`) : () => {}
// Each world imports much that the other does not.
if (world !== "durable") {
  const { simulate } = await import("./simulate.ts")
  await runAll("calls", (seed) => simulate(seed, tell))
}
if (world !== "calls") {
  const { nothingYet, simulateDurable } = await import("./durable/simulate.ts")
  const happened = nothingYet()
  await runAll("durable", (seed) => simulateDurable(seed, { tell, happened }))
  console.log(
    Object.entries(happened)
      .map(([what, count]) => `${count} ${what}`)
      .join(", "),
  )
}

async function runAll(name: string, run: (seed: number) => Promise<string[]>): Promise<void> {
  const begunAt = performance.now()
  for (let seed = first; seed < first + runs; seed++) {
    const broken = await run(seed)
    if (broken.length === 0) continue
    console.log(`${name}: seed ${seed} breaks:\n  ${broken.join("\n  ")}`)
    console.log(`replay it with: npm run sim -- --world ${name} --seed ${seed} --runs 1`)
    process.exit(1)
  }
  const perSecond = (runs / (performance.now() - begunAt)) * 1_000
  console.log(`${name}: ${runs} seeds from ${first}: every invariant held; ${perSecond.toFixed(1)} seeds a second`)
}
