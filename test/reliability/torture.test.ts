import { describe, expect, test } from "vitest"
import { torture } from "./runs/torture.ts"
import { onPostgres, onSqlite } from "./torture/databases.ts"

// The long form: npm run torture -- --kills 200
describe("R1: an application that is killed again and again", () => {
  test("on SQLite: nothing acknowledged is lost, nothing is done twice, order is kept", { timeout: 180_000 }, async () => {
    const figures = await torture({ kills: 6, deliveries: 120, seed: 1, database: onSqlite() })
    expect(figures.broken).toEqual([])
    expect(figures.kills).toBeGreaterThanOrEqual(6)
    expect(figures.duplicatesOnTheWire).toBeLessThanOrEqual(figures.duplicatesMax)
  })
  test("on PostgreSQL", { timeout: 180_000 }, async (context) => {
    const database = await onPostgres()
    if (database === null) {
      if (process.env.CI) throw new Error("PostgreSQL is not here")
      return context.skip("PostgreSQL is not here: apt-get install postgresql")
    }
    const figures = await torture({ kills: 4, deliveries: 80, seed: 2, database })
    expect(figures.broken).toEqual([])
    expect(figures.duplicatesOnTheWire).toBeLessThanOrEqual(figures.duplicatesMax)
  })
})
