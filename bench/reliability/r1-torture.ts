import { parseArgs } from "node:util"
import { noticedBy, torture } from "../../test/reliability/runs/torture.ts"
import { onPostgres, onSqlite } from "../../test/reliability/torture/databases.ts"
import { PLANTED_CRASH_BUGS, PlantedCopy } from "../../test/reliability/torture/planted.ts"
import { printTable } from "../harness/report.ts"

export const goal = "kill -9 again and again: nothing that was acknowledged is lost, nothing is done twice, in order per key"

/** `--planted`: whether the run notices ten mistakes, or those whose names have the words of `--only`. Else `--kills N` (200), `--deliveries N` (10,000), `--seed N`, `--database sqlite|postgres|both` (both). */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: "string", default: "200" },
      deliveries: { type: "string", default: "10000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      database: { type: "string", default: "both" },
      planted: { type: "boolean", default: false },
      only: { type: "string", default: "" },
    },
  })
  const [kills, deliveries, seed] = [Number(values.kills), Number(values.deliveries), Number(values.seed)]
  if (values.planted) return noticesPlanted(seed, values.only)
  let isMet = true
  for (const kind of values.database === "both" ? ["sqlite", "postgres"] : [values.database]) {
    const database = kind === "sqlite" ? onSqlite() : await onPostgres()
    if (database === null) {
      console.log("PostgreSQL is not here (apt-get install postgresql): not tested")
      isMet &&= !process.env.CI
      continue
    }
    console.log(`${kind}, seed ${seed}`)
    const figures = await torture({ kills, deliveries, seed, database, say: (line) => console.error(`  ${line}`) })
    const { hits, broken, ...numbers } = figures
    printTable(
      ["figure", "value"],
      Object.entries(numbers).map(([name, value]) => [name, String(value)]),
    )
    printTable(
      ["killed at", "times"],
      Object.entries(hits).map(([name, times]) => [name, String(times)]),
    )
    for (const one of broken.slice(0, 20)) console.log(`BROKEN: ${one}`)
    isMet &&= broken.length === 0 && figures.duplicatesOnTheWire <= figures.duplicatesMax
  }
  return isMet
}

/** Each mistake alone, in a copy of the sources. */
async function noticesPlanted(seed: number, only: string): Promise<boolean> {
  const copy = new PlantedCopy()
  let isMet = true
  try {
    for (const bug of PLANTED_CRASH_BUGS.filter(({ name }) => name.includes(only))) {
      copy.plant(bug)
      const noticed = await noticedBy({ kills: 12, deliveries: 400, seed, database: onSqlite(), subject: copy.subject })
      copy.heal(bug)
      console.log(`${noticed === null ? "NOT NOTICED" : "noticed    "}  ${bug.name}${noticed === null ? "" : `: ${noticed}`}`)
      isMet &&= noticed !== null
    }
  } finally {
    copy.remove()
  }
  return isMet
}
