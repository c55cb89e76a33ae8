/** The servers behind the queues: each round has a fresh database on a PostgreSQL that flushes, or a Redis of its own. */

import { execFileSync, spawn } from "node:child_process"
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import pg from "pg"
import { freePort } from "../../test/servers/free-port.ts"
import { newDatabase, ownPostgres } from "../../test/servers/postgres.ts"

/** Where a queue keeps its jobs during one run. */
export interface Ground {
  readonly env: Readonly<Record<string, string>>
  /** The server's process, whose time counts too. `null`: the queue needs none. */
  readonly pid: number | null
  end(): Promise<void>
}

export type Opened = { open(): Promise<Ground>; readonly settings: string } | { readonly missing: string }

export function inFile(): Opened {
  return {
    settings: "SQLite: journal WAL, synchronous FULL: a flush before each acknowledgement",
    async open() {
      const folder = newFolder()
      return { env: { FOLDER: folder }, pid: null, end: async () => rmSync(folder, { recursive: true }) }
    },
  }
}

export async function onPostgres(): Promise<Opened> {
  const server = await ownPostgres({ isDurable: true })
  if (server === null) return { missing: "PostgreSQL is not here (apt-get install postgresql)" }
  const client = new pg.Client(server.url)
  await client.connect()
  const shown = async (name: string): Promise<string> => `${name} ${(await client.query(`show ${name}`)).rows[0][name]}`
  const settings: string[] = []
  for (const name of ["server_version", "fsync", "synchronous_commit", "full_page_writes"]) settings.push(await shown(name))
  const pid = parentOf((await client.query("select pg_backend_pid() as pid")).rows[0].pid)
  await client.end()
  return {
    settings: `PostgreSQL: ${settings.join(", ")}`,
    async open() {
      const { url, drop } = await newDatabase(server.url)
      return { env: { STORE_URL: url, FOLDER: tmpdir() }, pid, end: drop }
    },
  }
}

export function onRedis(appendfsync: "everysec" | "always"): Opened {
  const version = redisVersion()
  if (version === null) return { missing: "Redis is not here (apt-get install redis-server)" }
  return {
    settings: `${version}: appendonly yes, appendfsync ${appendfsync}`,
    async open() {
      const folder = newFolder()
      const port = await freePort()
      const settings = { port, bind: "127.0.0.1", dir: folder, appendonly: "yes", appendfsync, save: "", "maxmemory-policy": "noeviction" }
      const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
      const server = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] })
      await new Promise<void>((resolve, reject) => {
        server.stdout.on("data", (bytes: Buffer) => void (bytes.includes("Ready to accept connections") && resolve()))
        server.once("exit", (code) => reject(new Error(`redis-server has ended with ${code}`)))
      })
      const end = async (): Promise<void> => {
        const gone = new Promise((resolve) => server.once("exit", resolve))
        server.kill("SIGKILL")
        await gone
        rmSync(folder, { recursive: true })
      }
      return { env: { REDIS_PORT: String(port), FOLDER: folder }, pid: server.pid!, end }
    },
  }
}

/** What this disk takes to flush 4 KiB, in microseconds: the floor under every acknowledgement. */
export function flushMicros(): number {
  const folder = newFolder()
  const file = openSync(join(folder, "flush"), "w")
  const page = Buffer.alloc(4_096, 1)
  const flushes = 300
  const flush = (n: number): void => {
    writeSync(file, page, 0, page.length, n * page.length)
    fdatasyncSync(file)
  }
  for (let n = 0; n < flushes; n++) flush(n)
  const started = performance.now()
  for (let n = 0; n < flushes; n++) flush(n)
  const micros = ((performance.now() - started) * 1_000) / flushes
  closeSync(file)
  rmSync(folder, { recursive: true })
  return micros
}

/** `BENCH_FOLDER`: on the disk that is to be measured. Default: the system's temporary folder. */
function newFolder(): string {
  return mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "bench-w4-"))
}

function redisVersion(): string | null {
  try {
    return `Redis ${/v=(\S+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))![1]}`
  } catch {
    return null
  }
}

/** The server of a connection's process; PostgreSQL counts connections that have ended to it. */
function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1])
}
