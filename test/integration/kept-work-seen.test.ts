// What an operator sees of the work that is kept: in the metrics, in `trestle status --url`, at the start.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import type { DurableParts } from "../../src/assembly/durable.ts"
import { startApp } from "../../src/assembly/start.ts"
import { Redactor } from "../../src/base/redact.ts"
import { code, flow, nothing, op, topic, trestle } from "../../src/index.ts"
import { openLog } from "../../src/telemetry/call-log.ts"
import { FakeClock } from "../../src/testing/fake-clock.ts"
import { rememberingLog, THROWAWAY } from "../../src/testing/stand-ins.ts"
import { folder, trestle as trestleCli } from "../cli/kit.ts"
import { environmentIn } from "../durable/kit.ts"

const Note = z.object({ text: z.string() })
const added = topic("note.added", Note)
const consumer = (f: (note: { text: string }) => unknown) =>
  op({ on: added, effect: "write", repeat: "natural", input: Note, output: nothing, delivery: { times: 1 } }).via(
    code((note) => void f(note)),
  )
const fails = (): never => {
  throw new Error("broken")
}

function dataFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "trestle-kept-"))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

describe("metrics of kept work", () => {
  test("jobs that have ended, and a dead one → counted by operation", async () => {
    const app = trestle({ name: "seen", ops: { good: consumer(() => undefined), bad: consumer(fails) } })
    const running = await startApp(app, { ...THROWAWAY, log: rememberingLog([]) })
    await running.publish(added, { text: "hello" })
    await expect.poll(() => running.metrics()).toContain('trestle_job_runs_total{operation="bad",end="dead"} 1\n')
    const text = await running.metrics()
    expect(text).toContain('trestle_job_runs_total{operation="good",end="done"} 1\n')
    expect(text).toContain('trestle_jobs{operation="good",state="dead"} 0\n')
    expect(text).toContain("trestle_store_up 1\n")
    await running.close()
  })

  test("a flow that has failed → counted by the word for its state, and a run that will be followed by another by one of its own", async () => {
    let isThere = false
    const book = op({ effect: "write", repeat: "natural", input: Note, output: nothing, errors: { FULL: 409 } }).via(
      code((_, ctx) => (isThere ? ctx.fail("FULL") : fails())),
    )
    const buy = op({ effect: "write", input: Note, output: nothing, errors: { FULL: 409 } }).via(flow(async (note, s) => s.run(book, note)))
    const clock = new FakeClock()
    const opened = Promise.withResolvers<DurableParts>()
    const durable = { isByHand: true, published: () => {}, opened: opened.resolve }
    const running = await startApp(trestle({ name: "seen", ops: { book, buy } }), { ...THROWAWAY, clock, log: rememberingLog([]), durable })
    const call = running.internal().buy.safe({ text: "hello" })
    const parts = await opened.promise
    await parts.work()
    isThere = true
    await clock.advance("10m")
    await parts.work()
    await call
    const text = await running.metrics()
    expect(text).toContain('trestle_job_runs_total{operation="buy",end="again"} 1\n')
    expect(text).toContain('trestle_job_runs_total{operation="buy",end="failed"} 1\n')
    await running.close()
  })

  test("a store that hangs → the scrape is answered all the same", async () => {
    const clock = new FakeClock()
    const opened = Promise.withResolvers<DurableParts>()
    const app = trestle({ name: "seen", ops: { good: consumer(() => undefined) } })
    const running = await startApp(app, { ...THROWAWAY, clock, log: rememberingLog([]), durable: { opened: opened.resolve } })
    const { store } = await opened.promise
    const read = store.read.bind(store)
    store.read = () => new Promise(() => {})
    await clock.advance("5s")
    const scraped = running.metrics()
    await clock.advance("1s")
    expect(await scraped).toContain("trestle_store_up 0\n")
    store.read = read
    await running.close()
  })
})

describe("jobs of an operation that was removed", () => {
  /** An application that leaves a waiting job of `gone` in that folder. */
  async function left(data: string): Promise<void> {
    const app = trestle({ name: "seen", ops: { gone: consumer(() => undefined), stays: consumer(() => undefined) } })
    const running = await startApp(app, {
      ...THROWAWAY,
      isEphemeral: false,
      environment: environmentIn(data),
      log: rememberingLog([]),
      durable: { isByHand: true },
    })
    await running.publish(added, { text: "hello" })
    await running.close()
  }
  const withoutIt = trestle({ name: "seen", ops: { stays: consumer(() => undefined) } })

  test("start → one warning, with the operation, how many, and what to do", async () => {
    const data = dataFolder()
    await left(data)
    let text = ""
    const write = (lines: string): void => {
      text += lines
    }
    const log = openLog({ format: "json", level: "info", redactor: new Redactor(), name: "seen", destination: { write } })
    const running = await startApp(withoutIt, { ...THROWAWAY, isEphemeral: false, environment: environmentIn(data), log })
    await running.close()
    const lines = text.trim().split("\n")
    const warned = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg?.startsWith("jobs of"))
    expect(warned).toHaveLength(1)
    expect(warned[0]).toMatchObject({ jobs: 1, msg: expect.stringMatching(/gone \(1\).*was.*trestle jobs drop/) })
  })

  test("trestle status --url → what is kept, and that there is no operation of it", async () => {
    const data = dataFolder()
    await left(data)
    const app = trestle({ name: "seen", ops: { stays: consumer(() => undefined) }, permissions: { operator: ["meta:read"] } })
    const running = await startApp(app, {
      ...THROWAWAY,
      isEphemeral: false,
      environment: environmentIn(data),
      log: rememberingLog([]),
      openAuthentication: async () => () => ({ id: "olga", kind: "key", roles: ["operator"] }),
    })
    const { url } = await running.listen({ port: 0 })
    const ran = await trestleCli(["status", "--url", url, "--key", "OPS_KEY"], { cwd: folder({}), env: { OPS_KEY: "operator" } })
    expect(ran.stdout).toMatch(/gone +jobs +1 waiting, 0 running +no operation of it/)
    expect(ran.stdout).toMatch(/stays +jobs +\d waiting, \d running/)
    await running.close()
  })
})
