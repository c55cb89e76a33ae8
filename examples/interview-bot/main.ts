// `npm start`: the demo world in a process of its own, then the bot in front of it.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { openKeyStore, TrestleError } from "trestle"
import type { InterviewBot } from "./app.ts"
import { banner } from "./banner.ts"
import { commandFor, dataFolder, portOf, variablesFile } from "./data-folder.ts"

/** What its message says is all that a person needs. */
class CannotStart extends Error {}

type Urls = Readonly<Record<"people" | "replica" | "scoring" | "files" | "control", string>>

const PEOPLE_TOKEN = "demo-people-token"
const SCORING_KEY = "demo-scoring-key"
const FILES_TOKEN = "demo-files-token"
const KEY_NAME = "demo-recruiter"

const startedAt = performance.now()
const here = import.meta.dirname
const port = portOf(process.env)
const data = dataFolder(process.env)
const variables = variablesFile(process.env)
const command = commandFor(process.env)

let world: ChildProcess | undefined
let running: Awaited<ReturnType<InterviewBot["start"]>> | undefined

try {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new CannotStart(`PORT must be a port from 0 to 65535, not ${process.env.PORT}.`)
  // Before anything else: a bot that has the port may well be at work in this folder, with the key that dies below.
  await seeThatPortIsFree()
  mkdirSync(data, { recursive: true })
  world = startWorld()
  setVariables(await urlsOf(world))
  // Before the start: a bot that runs looks at its keys once a second only.
  const recruiterKey = await newRecruiterKey()
  const { app } = await import("./app.ts")
  running = await app.start()
  const { url } = await running.listen({ port })
  process.once("SIGINT", stop).once("SIGTERM", stop)
  console.log(banner({ url, data, command, recruiterKey, status: running.status(), readyInMs: performance.now() - startedAt }))
} catch (error) {
  process.exitCode = 3
  await stop()
  console.error(problemOf(error))
}

async function seeThatPortIsFree(): Promise<void> {
  const server = createServer().listen(port, "127.0.0.1")
  await once(server, "listening")
  server.close()
  await once(server, "close")
}

async function stop(): Promise<void> {
  await running?.close()
  // Of a bot that found another one at work, none of this is its own.
  if (world === undefined) return
  world.kill()
  rmSync(variables, { force: true })
}

/** With keys of its own, whatever this shell holds: that may be the key of a real model. */
function startWorld(): ChildProcess {
  return spawn(process.execPath, [join(here, "world", "main.ts")], {
    env: { ...process.env, WORLD_DATA: join(data, "world"), PEOPLE_TOKEN, SCORING_KEY, FILES_TOKEN },
    stdio: ["pipe", "pipe", "inherit"],
  })
}

/** The world prints its addresses in one line when it listens. */
async function urlsOf(process: ChildProcess): Promise<Urls> {
  const lines = createInterface({ input: process.stdout! })
  const [line] = (await Promise.race([once(lines, "line"), once(process, "exit")])) as [unknown]
  if (typeof line !== "string") throw new CannotStart("The interview bot cannot start without its demo world.")
  return JSON.parse(line)
}

function setVariables({ people, replica, scoring, files, control }: Urls): void {
  const values = {
    TRESTLE_DATA: data,
    INTERVIEW_DB: join(data, "interview.db"),
    PEOPLE_URL: people,
    PEOPLE_REPLICA_URL: replica,
    PEOPLE_TOKEN,
    FILES_URL: files,
    FILES_TOKEN,
    DEMO_WORLD_URL: control,
    ...(process.env.SCORING_URL === "demo" ? { SCORING_URL: scoring, SCORING_KEY } : {}),
  }
  Object.assign(process.env, values)
  const lines = Object.entries(values).map(([name, value]) => `${name}='${value}'\n`)
  writeFileSync(variables, lines.join(""), { mode: 0o600 })
}

/** For whoever sits at this machine; that of the run before dies with it. */
async function newRecruiterKey(): Promise<string> {
  const keys = openKeyStore({ folder: data })
  await keys.revoke(KEY_NAME)
  const { key } = await keys.create({ name: KEY_NAME, roles: ["recruiter"], permissions: [], expiresInMs: 86_400_000 })
  return key
}

function problemOf(error: unknown): string {
  if (error instanceof CannotStart || TrestleError.is(error)) return error.message
  const { code } = error as { code?: string }
  if (code === "EADDRINUSE") return `Port ${port} is taken by another program. Fix: PORT=${port === 65_535 ? 4001 : port + 1} npm start`
  return String((error as Error).stack ?? error)
}
