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
  test("kept work → gauges by operation and outbox; operations that are not declared have one series", async () => {
    const none = { waiting: 0, running: 0, parked: 0, dead: 0, overdueMs: 0 }
    const metrics = new Metrics()
    metrics.countRun("scores.add", "done")
    const text = await metrics.text({
      services: [],
      shed: 0,
      work: {
        jobs: [
          { ...none, operation: "scores.add", isKnown: true, waiting: 3, overdueMs: 1_500 },
          { ...none, operation: "gone.a", isKnown: false, waiting: 1 },
          { ...none, operation: "gone.b", isKnown: false, waiting: 1 },
        ],
        outboxes: [{ service: "notes", messages: 2, oldestMs: 4_000 }],
      },
    })
    for (const line of [
      "trestle_store_up 1",
      'trestle_jobs{operation="scores.add",state="waiting"} 3',
      'trestle_jobs{operation="scores.add",state="dead"} 0',
      'trestle_jobs{operation="other",state="waiting"} 2',
      'trestle_jobs_overdue_seconds{operation="scores.add"} 1.5',
      'trestle_outbox_messages{service="notes"} 2',
      'trestle_outbox_oldest_seconds{service="notes"} 4',
      'trestle_job_runs_total{operation="scores.add",end="done"} 1',
    ])
      expect(text).toContain(`${line}\n`)
    expect(text).not.toContain("gone")
  })
  test("a store that did not answer → says so, and nothing of its jobs", async () => {
    const text = await new Metrics().text({ services: [], shed: 0, work: null })
    expect(text).toContain("trestle_store_up 0\n")
    expect(text).not.toMatch(/^trestle_jobs/m)
  })
  test("nothing that outlives its call → nothing of a store", async () => {
    expect(await new Metrics().text({ services: [], shed: 0 })).not.toContain("trestle_store_up")
  })
  test("more kinds than declarations can have → one series for the others", async () => {
    const metrics = new Metrics()
    for (let kind = 0; kind < 3_000; kind++) metrics.record(ended("a", [`kind ${kind}`, 1]))
    const text = await metrics.text()
    expect(text.match(/^trestle_repairs_total/gm)).toHaveLength(2_001)
    expect(text).toContain('trestle_repairs_total{operation="other",field="other"} 1000\n')
  })
})
