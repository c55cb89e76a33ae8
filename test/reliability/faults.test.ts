// R3, its short form: `npm run reliability -- r3` has many calls meet each fault at once, five times over.
import { beforeAll, describe, expect, test } from "vitest"
import { findPostgres } from "../servers/postgres.ts"
import { DEADLINE_MS, PLACES } from "./kit/called-process.ts"
import { FAULTS, type FaultFigures, faultMatrix, type MatrixFigures, POSTGRES_FAULTS } from "./runs/fault-matrix.ts"

const postgresServer = await findPostgres()
/** A machine that runs other tests may be late; what would wait on without a deadline waits for ever. */
const BUSY_MS = 3_000

describe("faults between a connector and its service", () => {
  let matrix: MatrixFigures
  beforeAll(async () => {
    matrix = await faultMatrix({ parallel: PLACES })
  })
  const all = postgresServer === null ? FAULTS : [...FAULTS, ...POSTGRES_FAULTS]
  for (const { connector, name } of all)
    test(`${connector}, ${name} → a typed error or a success in time, memory and sockets back, the next call is well`, () => {
      const { ends, slowestMs, grownMib, sockets, nextIsWell } = matrix.faults.find(
        (one) => one.connector === connector && one.fault === name,
      ) as FaultFigures
      for (const end of ends) expect(end).toMatch(/^(ok|[A-Z_]+ (?!thrown$)[a-z-]+)$/)
      expect(slowestMs).toBeLessThan(DEADLINE_MS + BUSY_MS)
      expect(grownMib).toBeLessThan(32)
      expect(sockets).toBeLessThanOrEqual(3 * PLACES)
      expect(nextIsWell).toBe(true)
    })
  test("after the close of the application → no socket is left", () => expect(matrix.socketsAfterClose).toBe(0))
})
