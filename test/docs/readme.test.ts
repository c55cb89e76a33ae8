import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { ROOT, readDocument } from "./documents.ts"

const readme = readDocument("README.md")
/** The commands that a reader pastes while `npm start` runs, in their order. */
const blocks = readme.blocks.filter(({ language, text }) => language === "sh" && text.includes("curl "))
/** `# → HTTP/1.1 404` promises that the output since the promise before has it; `…` stands for anything. */
const PROMISE = /^# → (.*)$/

/** In a fragment of a document `…` stands for anything, and `localhost:4000` for wherever the example listens. */
function pattern(fragment: string): RegExp {
  const literal = (text: string): string => text.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&").replace(/ +/g, " +")
  return new RegExp(fragment.split("…").map(literal).join(".*"))
}

const addressIn = (text: string): string => /http:\/\/(localhost:\d+)/.exec(text)?.[1] ?? "(no address)"
/** The recruiter key of the banner. */
const keyIn = (text: string): string => /trs_\S+/.exec(text)?.[0] ?? "(no key)"

describe("README.md", () => {
  const data = mkdtempSync(join(tmpdir(), "trestle-readme-"))
  let bot: ChildProcess
  let banner = ""

  beforeAll(async () => {
    const folder = join(ROOT, "examples", "interview-bot")
    const env = { ...process.env, PORT: "0", TRESTLE_DATA: data, NO_COLOR: "1" }
    bot = spawn(process.execPath, ["--conditions=trestle-source", "main.ts"], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] })
    const said = new Promise<void>((resolve) => {
      bot.stdout!.setEncoding("utf8").on("data", (text: string) => {
        banner += text
        if (banner.includes("Ctrl-C")) resolve()
      })
    })
    await Promise.race([said, once(bot, "exit")])
    // A key made after the start is taken within a second; a reader types slower than that.
    const authorization = `Bearer ${keyIn(banner)}`
    while ((await fetch(`http://${addressIn(banner)}/candidates`, { headers: { authorization } })).status === 401);
  })

  afterAll(async () => {
    if (bot.exitCode === null) {
      bot.kill("SIGTERM")
      await once(bot, "exit")
    }
    rmSync(data, { recursive: true, force: true })
  })

  test("the banner it shows: is the one that npm start prints", () => {
    const shown = readme.blocks.find(({ language, text }) => language === "text" && text.includes("trestle  interview-bot"))
    const printed = banner.replaceAll(addressIn(banner), "localhost:4000")
    const missing = shown!.text.split("\n").filter((line) => line.trim() !== "" && !pattern(line.trim()).test(printed))
    expect(missing).toEqual([])
  })

  test("its curl commands: answer what it says", async () => {
    const promises: string[] = []
    const commands = blocks
      .flatMap(({ text }) => text.trimEnd().split("\n"))
      .map((line) => {
        const promise = PROMISE.exec(line)?.[1]
        if (promise === undefined) return line
        promises.push(promise)
        return `printf '\\n@@@\\n'`
      })
    const script = commands.join("\n").replaceAll("localhost:4000", addressIn(banner)).replace("trs_...", keyIn(banner))
    const { stdout } = await promisify(execFile)("bash", ["-c", script], { timeout: 90_000 })
    const outputs = stdout.split("\n@@@\n")
    expect(promises.length).toBeGreaterThan(6)
    for (const [i, promise] of promises.entries()) expect(outputs[i], `${promise}\n${script}`).toMatch(pattern(promise))
  }, 100_000)

  test("length: below 200 lines", () => {
    expect(readme.text.split("\n").length).toBeLessThan(200)
  })
})
