import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline/promises"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { ada, freshFolder, get, post } from "./fixture.ts"

const main = fileURLToPath(new URL("./main.ts", import.meta.url))

async function start(env: Record<string, string>, stdin: "pipe" | "ignore" = "pipe") {
  const child = spawn(process.execPath, [main], { env: { ...process.env, ...env }, stdio: [stdin, "pipe", "inherit"] })
  onTestFinished(() => void child.kill("SIGKILL"))
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line))
  await once(reader, "line")
  return { child, lines, urls: JSON.parse(lines[0]!) as Record<string, string> }
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  return (await once(child, "exit"))[0]
}

test("main: started → one line with five loopback addresses that answer", async () => {
  const { lines, urls } = await start({ WORLD_DATA: await freshFolder(), PEOPLE_TOKEN: "t", SCORING_KEY: "k" })
  expect(Object.keys(urls)).toEqual(["people", "replica", "scoring", "control", "files"])
  for (const url of Object.values(urls)) expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect(await get(`${urls.people}/v2/people`, "t")).toMatchObject({ status: 200 })
  expect(await get(`${urls.replica}/v2/people`, "t")).toMatchObject({ status: 200 })
  expect(await get(`${urls.scoring}/v1/models`, "k")).toMatchObject({ status: 200 })
  expect(await get(`${urls.control}/_demo/people`)).toMatchObject({ status: 200 })
  expect(await get(`${urls.files}/files/none`, "demo-files-token")).toMatchObject({ status: 404 })
  expect(await get(`${urls.files}/files/none`, "guessed")).toMatchObject({ status: 401 })
  expect(lines).toHaveLength(1)
})

test("main: stdin closes while an answer is held → ends with 0", async () => {
  const { child, urls } = await start({ WORLD_DATA: await freshFolder() })
  await post(`${urls.control}/_demo/fail`, { service: "people", mode: "slow" })
  const held = expect(get(`${urls.people}/ping`)).rejects.toThrow()
  const exit = exitOf(child)
  child.stdin!.end()
  expect(await exit).toBe(0)
  await held
})

test("main: no pipe as stdin → lives on until SIGTERM, then ends with 0", async () => {
  const { child, urls } = await start({ WORLD_DATA: await freshFolder() }, "ignore")
  expect(await get(`${urls.people}/ping`)).toMatchObject({ status: 200 })
  const exit = exitOf(child)
  child.kill("SIGTERM")
  expect(await exit).toBe(0)
})

test("main: killed right after a 201 → the next start has the record, on the port asked for", async () => {
  const WORLD_DATA = await freshFolder()
  const first = await start({ WORLD_DATA })
  await post(`${first.urls.people}/v2/people`, ada)
  const exit = exitOf(first.child)
  first.child.kill("SIGKILL")
  await exit
  const second = await start({ WORLD_DATA, PEOPLE_PORT: new URL(first.urls.people!).port })
  expect(second.urls.people).toBe(first.urls.people)
  expect((await get(`${second.urls.people}/v2/people/1001`)).body).toEqual({ person_no: "1001", ...ada })
})

test("main: a port that is no port → ends with 1 and a sentence", async () => {
  const child = spawn(process.execPath, [main], { env: { ...process.env, PEOPLE_PORT: "http" }, stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.on("data", (chunk) => {
    said += chunk
  })
  expect((await once(child, "close"))[0]).toBe(1)
  expect(said).toContain("PEOPLE_PORT must be a port from 0 to 65535.")
})
