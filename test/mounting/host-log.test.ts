import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fastify } from "fastify"
import { pino } from "pino"
import { anyone, bearer, code, env, type HostLogger, nothing, op, rest, secret, TrestleError, trestle } from "trestle"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { loadEnvironment } from "../../src/config/environment.ts"

const SECRET = "canary-5f21c0"
const crm = rest({ url: env("CRM_URL", "http://127.0.0.1:9"), auth: bearer(secret("CRM_TOKEN")), policy: { retry: 0 } })
const app = trestle({
  name: "logged",
  ops: {
    fine: op({ http: "GET /fine", input: nothing, output: z.string(), allow: anyone("a test") }).via(code(() => "fine")),
    leaks: op({ http: "GET /leaks", input: nothing, output: z.string(), allow: anyone("a test") }).via(
      code(() => {
        throw new Error(`refused with ${SECRET}`)
      }),
    ),
    crm: op({ effect: "read", input: nothing, output: z.any() }).via(crm.call("GET /notes")),
  },
})

interface Said {
  readonly level: string
  readonly fields: Record<string, any>
  readonly message: string | undefined
}
const listener = (more: Partial<HostLogger> = {}): { said: Said[]; logger: HostLogger } => {
  const said: Said[] = []
  const at = (level: string) => (fields: object, message?: string) => void said.push({ level, fields, message })
  return { said, logger: { info: at("info"), warn: at("warn"), error: at("error"), ...more } }
}
const start = (logger: HostLogger, TRESTLE_LOG = "info") => {
  const folder = mkdtempSync(join(tmpdir(), "trestle-host-log-"))
  const process = { TRESTLE_ENV: "production", TRESTLE_DATA: folder, CRM_TOKEN: SECRET, TRESTLE_LOG }
  return startApp(app, { environment: loadEnvironment({ folder, process }), hostLog: logger })
}
const get = (path: string): Request => new Request(`http://host.test${path}`)

describe("the host's logger", () => {
  test("a call → its line as an object, without level and time, under its name as app", async () => {
    const { said, logger } = listener()
    const running = await start(logger)
    const { headers } = await running.fetch(get("/fine"))
    expect(said.at(-1)).toEqual({
      level: "info",
      message: "fine",
      fields: expect.objectContaining({
        app: "logged",
        operation: "fine",
        route: "GET /fine",
        trace: headers.get("x-request-id"),
        status: 200,
      }),
    })
    for (const name of ["level", "time", "name", "msg"]) expect(said.at(-1)!.fields).not.toHaveProperty(name)
    await running.close()
  })

  test("an error, by the serializer of pino → its own type", async () => {
    const written: string[] = []
    const running = await start(pino({}, { write: (line: string) => void written.push(line) }))
    await running.fetch(get("/fine?x=1"))
    expect(JSON.parse(written.at(-1)!)).toMatchObject({ code: "INVALID", err: { type: "TrestleError" } })
    await running.close()
  })

  test("a failure → as loud as in our own log, secrets masked", async () => {
    const { said, logger } = listener()
    const running = await start(logger)
    await running.fetch(get("/leaks"))
    expect(said.at(-1)).toMatchObject({ level: "error", message: "leaks: INTERNAL", fields: { code: "INTERNAL" } })
    expect(JSON.stringify(said)).toContain("refused with")
    expect(JSON.stringify(said)).not.toContain(SECRET)
    await running.close()
  })

  test("the application's own events → come too", async () => {
    const { said, logger } = listener()
    const running = await start(logger)
    await running.close()
    expect(said.at(-1)).toEqual({ level: "info", message: "closed", fields: { app: "logged" } })
  })

  test("one that says that a level is off → no line is made for it", async () => {
    const { said, logger } = listener({ isLevelEnabled: (level) => level === "error" })
    const running = await start(logger)
    await running.fetch(get("/fine"))
    await running.fetch(get("/leaks"))
    expect(said.filter(({ fields }) => fields.operation).map(({ level }) => level)).toEqual(["error"])
    await running.close()
  })

  test.each([
    ["warn", ["error"]],
    ["silent", []],
  ])("TRESTLE_LOG=%s → holds here too", async (level, levels) => {
    const { said, logger } = listener()
    const running = await start(logger, level)
    await running.fetch(get("/fine"))
    await running.fetch(get("/leaks"))
    await running.close()
    expect(said.filter(({ fields }) => fields.operation).map((one) => one.level)).toEqual(levels)
  })

  test("one that throws → the call is answered all the same", async () => {
    const broken = (): never => {
      throw new Error("disk full")
    }
    const running = await start({ info: broken, warn: broken, error: broken })
    expect((await running.fetch(get("/fine"))).status).toBe(200)
    await running.close()
  })

  test("what is no logger → START_REFUSED with TRS1034, and what it lacks", async () => {
    const started = app.start({ log: { info: () => {} } as never })
    await expect(started).rejects.toThrow(TrestleError)
    await expect(started).rejects.toMatchObject({ code: "START_REFUSED", findings: [{ code: "TRS1034" }] })
    await expect(started).rejects.toThrow("has no `warn`, `error`")
  })

  test("pino and Fastify's → write valid lines, without a field twice", async () => {
    const written: string[] = []
    const logger = pino({ name: "host" }, { write: (line) => void written.push(line) })
    const host = fastify({ loggerInstance: logger })
    const running = await start(host.log)
    await running.fetch(get("/fine"))
    const line = written.at(-1)!
    expect(JSON.parse(line)).toMatchObject({ name: "host", app: "logged", operation: "fine", msg: "fine" })
    const keys = [...line.matchAll(/[{,]"(\w+)":/g)].map((match) => match[1])
    expect(new Set(keys).size).toBe(keys.length)
    await running.close()
  })
})
