import { describe, expect, test } from "vitest"
import { seededRandom, systemRandom } from "./random.ts"

describe("the system's source", () => {
  test("hex: two digits a byte, whatever the length, beyond its pool too", () => {
    for (const bytes of [1, 8, 16, 4_000, 4_096, 5_000, 3]) expect(systemRandom.hex(bytes)).toMatch(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
  })
  test("hex: no digits are given twice", () => {
    const seen = new Set(Array.from({ length: 20_000 }, () => systemRandom.hex(16)))
    expect(seen.size).toBe(20_000)
  })
  test("next: from 0 up to, not including, 1", () => {
    for (let i = 0; i < 1_000; i++) expect(systemRandom.next() >= 0 && systemRandom.next() < 1).toBe(true)
  })
})

describe("a seeded source", () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed)
    return Array.from({ length: 100 }, random.next)
  }
  test("same seed → same draws; another seed → others", () => {
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(seededRandom(3).hex(8)).toBe(seededRandom(3).hex(8))
  })
  test("is what it was: recorded draws of mulberry32", () => {
    const random = seededRandom(1)
    expect([random.next(), random.next()].map((one) => one.toFixed(6))).toEqual(["0.627074", "0.002736"])
  })
  test("even: mean and quarters of many draws", () => {
    const random = seededRandom(9)
    const quarters = [0, 0, 0, 0]
    for (let i = 0; i < 40_000; i++) quarters[Math.floor(random.next() * 4)]!++
    for (const count of quarters) expect(Math.abs(count - 10_000)).toBeLessThan(450)
  })
  test("hex: two digits a byte, leading zeros kept", () => {
    const random = seededRandom(4)
    for (let i = 0; i < 500; i++) expect(random.hex(4)).toMatch(/^[0-9a-f]{8}$/)
  })
  test("any number is a seed", () => {
    for (const seed of [0, -1, 2 ** 32, 1.5]) expect(draw(seed).every((one) => one >= 0 && one < 1)).toBe(true)
  })
})
