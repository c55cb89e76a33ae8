import type { ChildProcess } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { Agent, get } from "node:http"
import { createServer } from "node:net"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { APP, folder, startTrestle, trestle } from "./kit.ts"

const HEAD = `import { anyone, code, env, op, placeholder, rest, trestle } from "trestle"
import { z } from "zod"
import { version } from "./version.ts"
`
const DEV_APP = `${HEAD}
const open = { input: z.object({}), allow: anyone("public") } as const
const far = rest({ url: env("FAR_URL", "http://127.0.0.1:1"), name: "far" })
export const app = trestle({ name: "growing", ops: {
  version: op({ ...open, http: "GET /version", output: z.number() }).via(code(() => version)),
  stub: op({ ...open, http: "GET /stub", output: z.number() }).via(placeholder(1, "waiting")),
  slow: op({ ...open, http: "GET /slow", output: z.number() }).via(code(async () => { console.log("slow began"); await new Promise((r) => setTimeout(r, 1_500)); return version })),
  far: op({ ...open, http: "GET /far", output: z.number() }).via(far.call("GET /it", { policy: { retry: 0 } })),
  crash: op({ ...open, http: "GET /crash", output: z.number() }).via(code(() => { setImmediate(() => { throw new TypeError("out of nowhere") }); return new Promise(() => {}) })),
  spin: op({ ...open, http: "GET /spin", output: z.number() }).via(code(() => { for (;;); })),
} })
`

/** A running \`trestle dev\`; its streams are pipes. */
async function dev(files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) {
  const cwd = folder({ "app.ts": DEV_APP, "version.ts": "export const version = 1\n", ...files })
  const child: ChildProcess = startTrestle(["dev", "--port", "0"], { cwd, env })
  onTestFinished(() => void child.kill("SIGKILL"))
  let said = ""
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
  const until = (pattern: RegExp, from = 0): Promise<void> =>
    expect.poll(() => said.slice(from), { timeout: 25_000, interval: 20 }).toMatch(pattern)
  const write = (name: string, text: string): void => writeFileSync(join(cwd, name), text)
  return {
    cwd,
    child,
    ended,
    until,
    write,
    said: () => said,
    mark: () => said.length,
    url: () => /API +(http:\S+)/.exec(said)?.[1] ?? "",
    /** Writes a file and waits for what \`dev\` says then. */
    change: async (name: string, text: string, pattern: RegExp) => {
      const from = said.length
      write(name, text)
      await until(pattern, from)
    },
  }
}
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const READY = /✓ ready in \d+ ms/
const ask = async (url: string): Promise<string> => (await fetch(url)).text()
/** On a connection of its own: a kept one may get one more answer of the old version. */
const askAnew = (url: string): Promise<string> =>
  new Promise((resolve, reject) =>
    get(url, { agent: false }, (answer) => answer.setEncoding("utf8").on("data", resolve)).on("error", reject),
  )

describe("reload", () => {
  test("a change of an imported file: the new version, at the same port", async () => {
    const { until, url, change, child, ended } = await dev()
    await until(/next: /)
    expect(await ask(`${url()}/version`)).toBe("1")
    await change("version.ts", "export const version = 2\n", READY)
    await expect.poll(() => ask(`${url()}/version`)).toBe("2")
    child.kill("SIGINT")
    expect(await ended).toBe(130)
  })

  test("a change of .env: a new version; a file saved as it was: none", async () => {
    const { until, change, said, mark, write } = await dev()
    await until(/next: /)
    const from = mark()
    write("version.ts", "export const version = 1\n")
    await change(".env", "FAR_URL=http://127.0.0.1:2\n", READY)
    expect(said().slice(from)).not.toContain("version.ts changed")
  })

  test.each([
    ["a syntax error", "version.ts", "export const = 2\n", /error\[TRS3003\]/],
    ["a finding", "app.ts", DEV_APP.replace('http: "GET /stub", ', 'http: "GET /version", '), /error\[TRS1001\]/],
    ["a missing file", "version.ts", 'export { version } from "./missing.ts"\n', /error\[TRS3003\]/],
  ])("%s: told, and the last good version goes on serving; mended: green again", async (_, file, wrong, told) => {
    const { until, url, change, write, mark, cwd } = await dev()
    await until(/next: /)
    const right = readFileSync(join(cwd, file), "utf8")
    await change(file, wrong, /not reloaded: the last good version goes on serving/)
    await until(told)
    expect(await ask(`${url()}/version`)).toBe("1")
    const from = mark()
    // A missing file that comes into being is a change too.
    if (wrong.includes("missing")) write("missing.ts", "export const version = 3\n")
    else write(file, right)
    await until(READY, from)
    await expect.poll(() => ask(`${url()}/version`)).toBe(wrong.includes("missing") ? "3" : "1")
  })

  test("callers meanwhile: none is refused, on new connections and on kept ones", async () => {
    const { until, url, change } = await dev()
    await until(/next: /)
    const answers = new Map<string, number>()
    let isOver = false
    const caller = async (agent: Agent): Promise<void> => {
      while (!isOver) {
        const answer = await new Promise<string>((resolve) => {
          get(`${url()}/version`, { agent }, (response) => {
            response.setEncoding("utf8").on("data", resolve)
          }).on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"))
        })
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    }
    const callers = [new Agent({ keepAlive: true }), new Agent({ keepAlive: false }), new Agent({ keepAlive: true })].map(caller)
    for (const version of [2, 3]) await change("version.ts", `export const version = ${version}\n`, READY)
    await expect.poll(() => answers.get("3") ?? 0).toBeGreaterThan(20)
    isOver = true
    await Promise.all(callers)
    expect([...answers.keys()].filter((answer) => !["1", "2", "3"].includes(answer))).toEqual([])
  })

  test("a call under way: finishes in its own version", async () => {
    const { until, url, change } = await dev()
    await until(/next: /)
    const slow = ask(`${url()}/slow`)
    await until(/slow began/)
    await change("version.ts", "export const version = 2\n", READY)
    expect(await slow).toBe("1")
  })
})

describe("an application that fails", () => {
  test("does not load at first: callers hear why, the first good change serves", async () => {
    const { until, child, change, said } = await dev({ "version.ts": "export const = 1\n" }, { PORT: "0" })
    await until(/waiting for a change/)
    expect(said()).toContain("error[TRS3003]")
    await change("version.ts", "export const version = 1\n", /next: /)
    child.kill("SIGTERM")
  })

  test("crashes: started again; a second time it waits for a change, and callers hear it", async () => {
    const { until, url, change } = await dev()
    await until(/next: /)
    await fetch(`${url()}/crash`).catch(() => undefined)
    await until(/out of nowhere/)
    await until(/has crashed \(exit 1\)[\s\S]*✓ ready/)
    await expect.poll(() => ask(`${url()}/version`)).toBe("1")
    await fetch(`${url()}/crash`).catch(() => undefined)
    await until(/not started again: waiting for a change/)
    const refused = await fetch(`${url()}/version`)
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ title: "The application does not start" })
    await change("version.ts", "export const version = 2\n", READY)
    expect(await ask(`${url()}/version`)).toBe("2")
  })

  test("runs in circles: a change brings a version that answers", async () => {
    const { until, url, change, child, ended } = await dev()
    await until(/next: /)
    const stuck = fetch(`${url()}/spin`).catch(() => undefined)
    await change("version.ts", "export const version = 2\n", READY)
    expect(await ask(`${url()}/version`)).toBe("2")
    child.kill("SIGINT")
    expect(await ended).toBe(130)
    await stuck
  })

  test("an imported file is removed: dev stays", async () => {
    const { until, url, cwd } = await dev()
    await until(/next: /)
    rmSync(join(cwd, "version.ts"))
    await until(/not reloaded/)
    expect(await ask(`${url()}/version`)).toBe("1")
  })

  test("no application yet: told, and followed until it comes, in src too", async () => {
    const { until, cwd, url } = await dev({ "app.ts": "" })
    await until(/TRS3004.*waiting for a change/s)
    rmSync(join(cwd, "app.ts"))
    await until(/TRS3002.*waiting for a change/s)
    mkdirSync(join(cwd, "src"))
    writeFileSync(join(cwd, "src/version.ts"), "export const version = 5")
    writeFileSync(join(cwd, "src/app.ts"), DEV_APP)
    await until(/API +http/)
    expect(await askAnew(`${url()}/version`)).toBe("5")
  })

  test("dev is killed while a file never ends loading: nothing of it stays", async () => {
    const { until, child, said } = await dev({
      "app.ts": "process.stdout.write('version ' + process.pid + ' '); setInterval(() => {}, 60_000); await new Promise(() => {})",
    })
    await until(/version \d+ /)
    const pid = Number(/version (\d+) /.exec(said())![1])
    child.kill("SIGKILL")
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
  })

  test("an import from a folder that is not there: followed, as it comes, goes, and comes back", async () => {
    const { until, url, cwd, change, mark } = await dev()
    await until(/next: /)
    const inFolder = async (text: string): Promise<void> => {
      const from = mark()
      mkdirSync(join(cwd, "parts/deep"), { recursive: true })
      writeFileSync(join(cwd, "parts/deep/number.ts"), text)
      await until(READY, from)
    }
    await change("version.ts", 'export { version } from "./parts/deep/number.ts"', /not reloaded/)
    await inFolder("export const version = 2")
    expect(await askAnew(`${url()}/version`)).toBe("2")
    const from = mark()
    rmSync(join(cwd, "parts"), { recursive: true })
    await until(/not reloaded/, from)
    await inFolder("export const version = 3")
    expect(await askAnew(`${url()}/version`)).toBe("3")
    await change("parts/deep/number.ts", "export const version = 4", READY)
    expect(await askAnew(`${url()}/version`)).toBe("4")
  }, 40_000)
})

describe("what it shows", () => {
  test("the banner, a line for a call, alike ones with their number, failures in full", async () => {
    const { until, url, said } = await dev()
    await until(/next: curl http:\S+\/version/)
    for (let i = 0; i < 4; i++) await ask(`${url()}/stub`)
    await ask(`${url()}/far`)
    await until(/help: npx trestle explain far/)
    expect(said()).toMatch(/✓ 200 {2}stub +[\d.]+ ms {2}placeholder {2}anyone\n/)
    expect(said()).toMatch(/✓ 200 {2}stub .* ×4 /)
    expect(said()).toMatch(/✗ 503 {2}far .* UNAVAILABLE\n/)
    expect(said()).toMatch(/far: cannot be reached \(ECONNREFUSED\)/)
    expect(said()).toMatch(/--> app\.ts:11/)
    expect(said()).not.toContain("\u001b")
  })

  test("the environment: development, whatever the shell says", async () => {
    const says = 'console.log("environment", process.env.TRESTLE_ENV)\nexport const version = 1\n'
    const { until } = await dev({ "version.ts": says }, { NODE_ENV: "production", TRESTLE_ENV: "production" })
    await until(/^environment development$/m)
  })

  test("--json: one document, when it is ready", async () => {
    const child = startTrestle(["dev", "--port", "0", "--json"], { cwd: folder({ "app.ts": APP }) })
    onTestFinished(() => void child.kill("SIGKILL"))
    const text = await new Promise<string>((resolve) => child.stdout!.setEncoding("utf8").once("data", resolve))
    expect(JSON.parse(text)).toMatchObject({
      schema: "trestle.dev/1",
      ok: true,
      summary: { url: expect.stringMatching(/^http:\/\/localhost:\d+$/) },
    })
    child.kill("SIGTERM")
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0)
  })
})

test("a port in use: exit 3, one clear sentence", async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
  const { port } = other.address() as { port: number }
  const ran = await trestle(["dev", "--port", String(port)], { cwd: folder({ "app.ts": APP }) })
  other.close()
  expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining(`error[TRS3005]: 127.0.0.1:${port} is already in use`) })
})
