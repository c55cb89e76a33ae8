import { describe, expect, test } from "vitest"
import { z } from "zod"
import { computed, date, from, integer, mapping } from "../transform/index.ts"
import { type MappingRow, mappingCases } from "./mapping-cases.ts"

const Day = z.object({ day: z.iso.date(), n: z.number().max(10) })
const day = mapping(Day, { day: from("d", date("dd/MM/yyyy", { drift: "yyyy-MM-dd" })), n: from("n", integer) })
const theirs = { d: "02/01/2026", n: 1 }
const ours = { day: "2026-01-02", n: 1 }

const outcome = (row: MappingRow<z.infer<typeof Day>>): string => {
  try {
    mappingCases(day, [row])[0]!.run()
    return "passes"
  } catch (error) {
    return (error as Error).message
  }
}

describe("mappingCases", () => {
  test("names: the row's own, or its place; what is expected of it", () => {
    const rows = [
      { theirs, ours },
      { name: "later", theirs, refused: "d" },
      { theirs, ours, drift: "repair" as const, repaired: ["x"] },
    ]
    expect(mappingCases(day, rows).map(({ name }) => name)).toEqual(["row 1: mapped", "later: refused", "row 3: mapped, and repaired"])
  })
  test.each([
    ["mapped as stated", { theirs, ours }, "passes"],
    [
      "mapped otherwise",
      { theirs, ours: { day: "2026-02-01", n: 1 } },
      'it was mapped: {"day":"2026-01-02","n":1}, not {"day":"2026-02-01","n":1}',
    ],
    ["refused as stated", { theirs: { d: "x" }, refused: ["d → day: is no date", "n → n: is missing"] }, "passes"],
    ["refused, and not stated", { theirs: { ...theirs, n: "x" }, ours }, "it was refused: n → n: is no whole number"],
    [
      "refused for another reason",
      { theirs: { ...theirs, n: "x" }, refused: "d → day" },
      'no sentence says "d → day"; it was refused with: n → n: is no whole number',
    ],
    ["mapped, and to be refused", { theirs, refused: "d → day" }, 'it was mapped: {"day":"2026-01-02","n":1}'],
    [
      "repaired as stated",
      { theirs: { ...theirs, d: "2026-01-02" }, drift: "repair", ours, repaired: ["d → day: in the format yyyy-MM-dd"] },
      "passes",
    ],
    [
      "repaired, and not stated",
      { theirs: { ...theirs, d: "2026-01-02" }, drift: "repair", ours },
      'it was repaired: ["d → day: in the format yyyy-MM-dd"], not []',
    ],
    [
      "against the schema",
      { theirs: { ...theirs, n: 11 }, ours: { ...ours, n: 11 } },
      "it does not fit the schema: Too big: expected number to be <=10",
    ],
  ] as [string, MappingRow<z.infer<typeof Day>>, string][])("%s → %#", (_name, row, wanted) => {
    expect(outcome(row)).toBe(wanted)
  })
  test("a mapping that goes one way: is not written", () => {
    const oneWay = mapping(z.object({ s: z.string() }), { s: computed((row: { a: string }) => row.a) })
    expect(() => mappingCases(oneWay, [{ theirs: { a: "x" }, ours: { s: "x" } }])[0]!.run()).not.toThrow()
  })
  test("what is read and is not written back: fails", () => {
    const broken = { ...day, write: () => ({ d: "03/01/2026", n: 1 }) } as unknown as typeof day
    expect(() => mappingCases(broken, [{ theirs, ours }])[0]!.run()).toThrow('written and read again it is: {"day":"2026-01-03","n":1}')
  })
})
