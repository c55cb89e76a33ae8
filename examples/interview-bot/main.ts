// `npm start`: the demo world in a process of its own, then the bot in front of it.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { openKeyStore, TrestleError } from "trestle"
import { banner } from "./banner.ts"

const startedAt = performance.now()
const here = import.meta.dirname
const port = Number(process.env.PORT ?? 4000)
const data = resolve(process.env.TRESTLE_DATA ?? join(here, ".trestle"))
mkdirSync(data, { recursive: true })

const world = spawn(process.execPath, [join(here, "world", "main.ts")], {
  env: { ...process.env, WORLD_DATA: join(data, "world") },
  stdio: ["pipe", "pipe", "inherit"],
})
const urls = await worldUrls(world)
Object.assign(process.env, {
  TRESTLE_DATA: data,
  PEOPLE_URL: urls.people,
  PEOPLE_REPLICA_URL: urls.replica,
  PEOPLE_TOKEN: "demo-people-token",
  DEMO_WORLD_URL: urls.control,
})
if (process.env.SCORING_URL === "demo") Object.assign(process.env, { SCORING_URL: urls.scoring, SCORING_KEY: "demo-scoring-key" })

const { app } = await import("./app.ts")
try {
  const running = await app.start()
  const { url } = await running.listen({ port })
  const stop = async (): Promise<void> => {
    await running.close()
    world.kill()
  }
  process.once("SIGINT", stop).once("SIGTERM", stop)
  console.log(banner({ url, data, recruiterKey: await recruiterKey(), status: running.status(), readyInMs: performance.now() - startedAt }))
} catch (error) {
  world.kill()
  process.exitCode = 3
  console.error(TrestleError.is(error) ? error.message : startProblem(error))
}

/** The world prints its addresses in one line when it listens. */
async function worldUrls(process: ChildProcess): Promise<Record<"people" | "replica" | "scoring" | "control", string>> {
  const lines = createInterface({ input: process.stdout! })
  const [line] = (await Promise.race([once(lines, "line"), once(process, "exit")])) as [unknown]
  if (typeof line !== "string") throw new Error(`the demo world did not start (exit code ${line})`)
  return JSON.parse(line)
}

/** A key for whoever sits at this machine; the one of the run before dies with it. */
async function recruiterKey(): Promise<string> {
  const keys = openKeyStore({ folder: data })
  await keys.revoke("recruiter-of-this-run")
  const { key } = await keys.create({ name: "recruiter-of-this-run", roles: ["recruiter"], permissions: [], expiresInMs: 86_400_000 })
  return key
}

function startProblem(error: unknown): string {
  const { code } = error as { code?: string }
  if (code === "EADDRINUSE") return `Port ${port} is taken by another program. Fix: PORT=4001 npm start`
  return String((error as Error).stack ?? error)
}
