// Connections while they are being made: whom they hold up, and for how long.
import { readFileSync } from "node:fs"
import { type PerformanceEntry, PerformanceObserver } from "node:perf_hooks"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { expect, test } from "vitest"
import { z } from "zod"
import { op, type Policy, rest } from "../../src/index.ts"
import { FaultProxy } from "../../src/testing/fault-proxy.ts"
import { started } from "./kit/fault.ts"
import { Receiver } from "./kit/receiver.ts"
import { WELL } from "./kit/rest-faults.ts"

const Thing = z.object({ id: z.string(), name: z.string() })
const ADA = { id: "7", name: "Ada" }
const POLICY: Policy = { retry: 0, timeout: "2s", breaker: false }
const certificate = (file: string): string => readFileSync(new URL(`../cli/certificates/${file}`, import.meta.url), "utf8")

const getFrom = (url: string, policy: Policy) =>
  op({ effect: "read", input: Thing, output: Thing }).via(rest({ url, policy }).call<any, any>("GET /things"))

test("a handshake that hangs → gives its place back with its attempt: the next call, on the only place, is well", async () => {
  setDefaultCACertificates([...getCACertificates("default"), certificate("authority.pem")])
  await using receiver = await Receiver.open(WELL, { cert: certificate("valid.pem"), key: certificate("valid.key") })
  const proxy = await FaultProxy.open({ host: "127.0.0.1", port: receiver.port })
  try {
    const policy: Policy = { ...POLICY, timeout: "500ms", concurrency: 1 }
    await using app = await started({ get: getFrom(`https://localhost:${proxy.place.port}`, policy) })
    proxy.mode = "mute"
    expect(await app.ask.get.safe(ADA)).toMatchObject({ code: "TIMEOUT", outcome: "refused" })
    await proxy.quiet()
    proxy.mode = "pass"
    expect(await app.ask.get.safe(ADA)).toMatchObject({ ok: true })
    expect(receiver.arrivals.length).toBe(1)
  } finally {
    await proxy.close()
  }
})

test("many connections at once → the service's name is asked for once", async () => {
  await using receiver = await Receiver.open(WELL)
  await using app = await started({ get: getFrom(`http://localhost:${receiver.port}`, POLICY) })
  const asked: PerformanceEntry[] = []
  const observer = new PerformanceObserver((list) => asked.push(...list.getEntries()))
  observer.observe({ entryTypes: ["dns"] })
  await Promise.all(Array.from({ length: 20 }, () => app.ask.get(ADA)))
  asked.push(...observer.takeRecords())
  observer.disconnect()
  expect(receiver.connected).toBe(20)
  expect(asked.length).toBe(1)
})
