import { describe, expect, it } from "vitest"
import { parseBytes } from "./bytes.ts"

describe("parseBytes", () => {
  it.each([
    [0, 0],
    [1_000, 1_000],
    ["12b", 12],
    ["256kb", 262_144],
    ["256 KB", 262_144],
    ["1.5kb", 1_536],
    ["4mb", 4_194_304],
    ["2gb", 2_147_483_648],
  ])("%j → %d", (given, bytes) => expect(parseBytes(given)).toBe(bytes))

  it.each([-1, 0.5, Number.NaN, Infinity, "", "12", "kb", "-1kb", "1tb", "1kbs", "99999999999gb", null, undefined, []])(
    "%j → null",
    (given) => expect(parseBytes(given)).toBeNull(),
  )
})
