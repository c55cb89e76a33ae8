import { describe, expect, test } from "vitest"
import type { CallRecord } from "../contract/ports.ts"
import { Metrics } from "./metrics.ts"

const ended = (operation: string, ...repairs: [string, number][]): CallRecord =>
  ({ operation, ownRepairs: repairs.length === 0 ? undefined : new Map(repairs) }) as unknown as CallRecord

describe("metrics", () => {
  test("nothing counted → both counters are announced, without series", async () => {
    const text = await new Metrics().text()
    expect(text).toContain("# TYPE trestle_repairs_total counter")
    expect(text).toContain("# TYPE trestle_cache_total counter")
    expect(text).not.toMatch(/^trestle/m)
  })
  test("repairs and kept answers → by operation and kind, added up, labels escaped", async () => {
    const metrics = new Metrics()
    metrics.record(ended("a.b"))
    metrics.record(ended("a.b", ['x → y: is no "Y"', 2], ["z", 1]))
    metrics.record(ended("a.b", ["z", 3]))
    metrics.countKept("a.c", "hit")
    const text = await metrics.text()
    expect(text).toContain('trestle_repairs_total{operation="a.b",field="x → y: is no \\"Y\\""} 2\n')
    expect(text).toContain('trestle_repairs_total{operation="a.b",field="z"} 4\n')
    expect(text).toContain('trestle_cache_total{operation="a.c",result="hit"} 1\n')
  })
  test("read twice → the same; two applications → each its own", async () => {
    const [one, other] = [new Metrics(), new Metrics()]
    one.record(ended("a", ["z", 1]))
    expect(await one.text()).toBe(await one.text())
    expect(await other.text()).not.toContain('"z"')
  })
  test("more kinds than declarations can have → one series for the others", async () => {
    const metrics = new Metrics()
    for (let kind = 0; kind < 3_000; kind++) metrics.record(ended("a", [`kind ${kind}`, 1]))
    const text = await metrics.text()
    expect(text.match(/^trestle_repairs_total/gm)).toHaveLength(2_001)
    expect(text).toContain('trestle_repairs_total{operation="other",field="other"} 1000\n')
  })
})
