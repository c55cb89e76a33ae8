import { readFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { type AddressInfo, createServer as createPlainServer, type Server } from "node:net"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { APP, folder, json, trestle } from "./kit.ts"

const CERTIFICATES = join(import.meta.dirname, "certificates")
const certificate = (name: string): string => join(CERTIFICATES, name)

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve))
  onTestFinished(() => {
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const GOOD_TOKEN = "a-token-of-some-length-7d1e"
/** Well, to who shows the token. */
const guarded: RequestListener = (request, response) => {
  response.setHeader("server", "people/2.3")
  response.writeHead(request.headers.authorization === `Bearer ${GOOD_TOKEN}` ? 200 : 401).end("{}")
}
const serviceOf = (answer: RequestListener): Promise<number> => listening(createServer(answer))
const secureService = (name: string): Promise<number> =>
  listening(
    createSecureServer(
      { key: readFileSync(certificate(`${name}.key`)), cert: readFileSync(certificate(`${name}.pem`)) },
      (_request, response) => response.end("{}"),
    ),
  )
/** A port where nobody listens. */
async function deadPort(): Promise<number> {
  const server = createPlainServer()
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** An application with these services, each behind an operation of its own. */
function appWith(services: Readonly<Record<string, string>>): string {
  const names = Object.keys(services)
  return `import { bearer, apiKey, env, op, rest, secret, trestle } from "trestle"
import { z } from "zod"
const read = { effect: "read", input: z.object({}), output: z.object({}) } as const
${names.map((name) => `const ${name} = rest(${services[name]})`).join("\n")}
export const app = trestle({ name: "clinic", ops: { ${names.map((name) => `${name}: op(read).via(${name}.call("GET /it"))`).join(", ")} } })
`
}
const REST = (name: string, more = ""): string => `{ name: "${name}", url: env("${name.toUpperCase()}_URL"), health: "GET /ping"${more} }`
const BEARER = ', auth: bearer(secret("TOKEN"))'

describe("one service down, one credential wrong, one variable misspelt", () => {
  async function clinic() {
    const [people, mail, down] = [await serviceOf(guarded), await serviceOf(guarded), await deadPort()]
    return folder({
      "app.ts": appWith({
        people: REST("people", BEARER),
        crm: REST("crm"),
        mail: `{ name: "mail", url: env("MAIL_URL"), health: "GET /ping", auth: bearer(secret("MAIL_TOKEN")) }`,
        bank: `{ name: "bank", url: env("BANK_URL"), auth: apiKey(secret("BANK_API_KEY")) }`,
      }),
      ".env": `PEOPLE_URL=http://localhost:${people}\nCRM_URL=http://localhost:${down}\nMAIL_URL=http://localhost:${mail}\nBANK_URL=http://localhost:1\nMAIL_TOKEN=an-old-token-of-some-length-1111`,
      ".env.local": `TOKEN=${GOOD_TOKEN}\nMAIL_TOKEN=a-wrong-token-of-length-9f2c\nBANK_APIKEY=a-key-of-the-bank-0000`,
    })
  }

  test("says what is wrong and what to type, one row each", async () => {
    const cwd = await clinic()
    const { code, stdout, stderr } = await trestle(["doctor"], { cwd })
    expect({ code, stderr }).toEqual({ code: 3, stderr: "" })
    expect(stdout).toMatch(/^✓ people +rest +localhost:\d+ +well +[\d.]+ ms +people\/2\.3$/m)
    expect(stdout).toMatch(/^✗ crm +rest +localhost:\d+ +down +nothing listens at localhost:\d+$/m)
    expect(stdout).toMatch(
      /^✗ mail +rest +localhost:\d+ +401 +bearer credential rejected; MAIL_TOKEN ends …9f2c, from \.env\.local, which shadows \.env$/m,
    )
    expect(stdout).toMatch(/^✗ bank +rest +localhost:1 +not set +The secret BANK_API_KEY, needed by bank, is not set\.$/m)
    expect(stdout).toContain("clinic: 4 services, 1 well, 3 failing\n")
    // What to type.
    expect(stdout).toMatch(/help: Start the service, or correct the address: CRM_URL=\.\.\. in \.env$/m)
    expect(stdout).toMatch(/help: Put the valid one in its place: MAIL_TOKEN=\.\.\. in \.env\.local$/m)
    expect(stdout).toMatch(/help: Found BANK_APIKEY in \.env\.local: did you mean that\? Put BANK_API_KEY=\.\.\. in \.env\.local/)
    // How far a request comes.
    expect(stdout).toMatch(
      / {2}✓ dns .*\n {2}✗ tcp +ECONNREFUSED\n {2}- authentication +not reached\n {2}- version +not reached\n {2}- latency +not reached\n/,
    )
  })

  test("no secret stands anywhere, not with --json either", async () => {
    const cwd = await clinic()
    const plain = await trestle(["doctor"], { cwd })
    const ran = await trestle(["doctor", "--json"], { cwd })
    for (const secret of [GOOD_TOKEN, "a-wrong-token-of-length-9f2c", "a-key-of-the-bank-0000", "an-old-token-of-some-length-1111"])
      expect(plain.stdout + plain.stderr + ran.stdout + ran.stderr).not.toContain(secret)
  })

  test("--json: services, steps, findings", async () => {
    const ran = await trestle(["doctor", "--json"], { cwd: await clinic() })
    expect(json(ran)).toMatchObject({
      schema: "trestle.doctor/1",
      ok: false,
      summary: { app: "clinic", services: 4, failing: 3 },
      findings: [{ code: "TRS3015" }, { code: "TRS3017" }, { code: "TRS2002" }],
      services: [
        { service: "people", state: "ok", steps: expect.arrayContaining([expect.objectContaining({ name: "latency", state: "ok" })]) },
        { service: "crm", state: "failed" },
        { service: "mail", state: "failed" },
        { service: "bank", state: "failed", steps: [{ name: "variables", state: "failed" }] },
      ],
    })
  })

  test.each([
    [["people"], 0],
    [["crm"], 4],
    [["mail"], 5],
    [["bank"], 3],
    [["crm", "mail"], 4],
  ])("doctor %j: exit %i", async (names, exit) => {
    expect((await trestle(["doctor", ...names], { cwd: await clinic() })).code).toBe(exit)
  })
})

/** The finding of a single service. */
async function diagnosed(options: { service?: string; url: string; env?: Record<string, string>; auth?: string }) {
  const cwd = folder({ "app.ts": appWith({ one: REST("one", options.auth ?? "") }) })
  const ran = await trestle(["doctor", "--json"], { cwd, env: { ONE_URL: options.url, ...options.env } })
  const { services, findings } = json(ran)
  return {
    code: ran.code,
    findings,
    steps: Object.fromEntries(services[0].steps.map((step: { name: string }) => [step.name, step])) as any,
  }
}

describe("certificates", () => {
  const trusting = { NODE_EXTRA_CA_CERTS: certificate("authority.pem") }

  test("valid: protocol, names and the days that are left", async () => {
    const { code, steps } = await diagnosed({ url: `https://localhost:${await secureService("valid")}`, env: trusting })
    expect(code).toBe(0)
    expect(steps.tls).toMatchObject({
      state: "ok",
      seen: expect.stringMatching(/^TLSv1\.3, for localhost, until 2076-01-01 \(\d+ days\)$/),
    })
    expect(steps.latency.state).toBe("ok")
  })

  test.each([
    ["ended", trusting, "one: its certificate ended on 2020-02-01", "openssl s_client -connect localhost:"],
    ["other-name", trusting, "one: its certificate is for elsewhere.test, not for localhost", "Use one of those names"],
    ["self-signed", {}, "one: its certificate is signed by itself, and nobody vouches for it", "NODE_EXTRA_CA_CERTS="],
    ["valid", {}, "one: its certificate is signed by somebody who is not trusted here", "NODE_EXTRA_CA_CERTS="],
  ])("%s: exit 4, why, what to type", async (name, env, message, fix) => {
    const { code, findings, steps } = await diagnosed({ url: `https://localhost:${await secureService(name)}`, env })
    expect(code).toBe(4)
    expect(findings).toMatchObject([{ code: "TRS3016", message: expect.stringContaining(message), fix: expect.stringContaining(fix) }])
    expect(steps).toMatchObject({ tcp: { state: "ok" }, tls: { state: "failed" }, authentication: { state: "not reached" } })
  })

  test("https to a port that speaks plain http: says so", async () => {
    const { code, findings } = await diagnosed({ url: `https://localhost:${await serviceOf(guarded)}` })
    expect(code).toBe(4)
    expect(findings[0].message).toMatch(/does not speak TLS/)
  })
})

describe("what the probe says", () => {
  const says =
    (status: number): RequestListener =>
    (_request, response) =>
      void response.writeHead(status).end()

  test.each([
    [403, 5, "TRS3017", "a credential, and none is declared"],
    [404, 1, "TRS3018", "there is no GET /ping at this service"],
    [302, 1, "TRS3018", "leads elsewhere"],
    [503, 4, "TRS3015", "says itself that it is not well"],
  ])("%i: exit %i", async (status, exit, code, message) => {
    const found = await diagnosed({ url: `http://localhost:${await serviceOf(says(status))}` })
    expect(found).toMatchObject({ code: exit, findings: [{ code, message: expect.stringContaining(message) }] })
  })

  test("403 with a credential: told apart from a wrong one", async () => {
    const url = `http://localhost:${await serviceOf(says(403))}`
    const { findings } = await diagnosed({ url, auth: BEARER, env: { TOKEN: GOOD_TOKEN } })
    expect(findings[0].message).toContain("may not do this; TOKEN ends …7d1e, from the shell")
  })

  test("a probe that answers strangers too: says nothing of the credential", async () => {
    const { code, steps } = await diagnosed({
      url: `http://localhost:${await serviceOf(says(200))}`,
      auth: BEARER,
      env: { TOKEN: GOOD_TOKEN },
    })
    expect(code).toBe(0)
    expect(steps.authentication).toMatchObject({ state: "unsure", seen: expect.stringContaining("and to strangers too") })
  })

  test("a service that takes the request and is silent: ends at --timeout", async () => {
    const cwd = folder({ "app.ts": appWith({ one: REST("one") }) })
    const port = await serviceOf(() => {})
    const ran = await trestle(["doctor", "--timeout", "200ms"], { cwd, env: { ONE_URL: `http://localhost:${port}` } })
    expect(ran).toMatchObject({ code: 4, stdout: expect.stringContaining("no answer within 200 ms") })
  })

  test("a short secret: none of it is shown", async () => {
    const { findings } = await diagnosed({
      url: `http://localhost:${await serviceOf(says(401))}`,
      auth: BEARER,
      env: { TOKEN: "short-secret" },
    })
    expect(findings[0].message).toContain("TOKEN from the shell")
    expect(findings[0].message).not.toContain("cret,")
  })
})

describe("names and addresses", () => {
  test("a name that nobody knows: exit 4", async () => {
    const { code, findings } = await diagnosed({ url: "http://nobody.invalid" })
    expect(code).toBe(4)
    expect(findings[0].message).toMatch(/the name nobody\.invalid/)
    expect(findings[0].message).toMatch(/nobody knows|cannot be looked up/)
  })

  test("an address that is none: exit 1, which variable to correct", async () => {
    expect(await diagnosed({ url: "localhost" })).toMatchObject({
      code: 1,
      findings: [{ code: "TRS3018", message: "one: its address is no http or https URL", fix: expect.stringContaining("export ONE_URL=") }],
    })
  })

  test("an address that is none may be a credential in the wrong place: not shown", async () => {
    const cwd = folder({ "app.ts": appWith({ one: REST("one") }) })
    const ran = await trestle(["doctor"], { cwd, env: { ONE_URL: "the-credential-of-somebody" } })
    expect(ran.stdout).toMatch(/^✗ one +rest +ONE_URL +address /m)
    expect(ran.stdout + ran.stderr).not.toContain("the-credential")
  })

  test("a port that speaks no HTTP, or TLS: what it did, what to ask by hand, and that it may want https", async () => {
    const port = await listening(createPlainServer((socket) => void socket.on("error", () => {}).end("220 mail ready\r\n")))
    const { findings } = await diagnosed({ url: `http://localhost:${port}/v2` })
    expect(findings[0].message).toContain("Response does not match the HTTP/1.1 protocol")
    expect(findings[0].fix).toContain(
      `curl -i http://localhost:${port}/v2/ping   If it speaks TLS, its address begins with https: export ONE_URL=`,
    )
  })

  test("a service that is none: exit 2, the nearest", async () => {
    const cwd = folder({ "app.ts": APP })
    expect(await trestle(["doctor", "fer"], { cwd })).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "far"?') })
  })
})

describe("a SQLite file", () => {
  const NOTES = `import { op, nothing, sql, sqlite, trestle } from "trestle"
import { z } from "zod"
const notes = sqlite({ file: "notes.db", migrations: new URL("./migrations", import.meta.url), migrate: "by command" })
const list = op({ effect: "read", input: nothing, output: z.array(z.object({ id: z.number() })) }).via(notes.many(() => sql\`select id from notes\`))
export const app = trestle({ name: "notes", ops: { list } })
`.replaceAll("\\`", "`")
  const files = { "app.ts": NOTES, "migrations/0001-notes.sql": "create table notes (id integer primary key) strict;" }
  const stepsOf = async (cwd: string) => {
    const ran = await trestle(["doctor", "--json"], { cwd })
    const { services, findings } = json(ran)
    return {
      code: ran.code,
      findings,
      steps: Object.fromEntries(services[0].steps.map((step: { name: string }) => [step.name, step])) as any,
    }
  }

  test("not migrated: exit 1, and the command; migrated: well", async () => {
    const cwd = folder(files)
    expect(await stepsOf(cwd)).toMatchObject({ code: 1, findings: [{ code: "TRS3018", fix: "npx trestle db migrate" }] })
    expect((await trestle(["db", "migrate"], { cwd })).code).toBe(0)
    const { code, steps } = await stepsOf(cwd)
    expect(code).toBe(0)
    expect(steps).toMatchObject({
      file: { state: "ok", seen: expect.stringContaining("notes.db") },
      integrity: { state: "ok" },
      version: { seen: expect.stringMatching(/^SQLite 3\.\d+\.\d+, journal wal$/) },
      migrations: { seen: "1 of 1 applied" },
    })
  })

  test("a file that is no database: exit 4, broken", async () => {
    const cwd = folder({ ...files, "notes.db": "this is no database, whatever its name may say".repeat(40) })
    expect(await stepsOf(cwd)).toMatchObject({ code: 4, steps: { integrity: { state: "failed" }, migrations: { state: "not reached" } } })
  })
})
