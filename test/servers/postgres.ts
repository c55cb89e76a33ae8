// A real PostgreSQL for tests. Found by TRESTLE_TEST_POSTGRES, then at the standard port, then as Debian's binary, which is started once
// for a whole run of vitest and ends with it.
import { execFileSync, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import pg from "pg"
import { freePort } from "./free-port.ts"

/** Data of tests may be lost with the power, and nobody would miss it; what tests measure of durability says so and starts its own. */
const FAST = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }
const DURABLE = { fsync: "on", synchronous_commit: "on", full_page_writes: "on" }
const SETTINGS = { max_connections: "200", listen_addresses: "127.0.0.1", logging_collector: "off", log_min_messages: "fatal" }
const STANDARD_PORT_URL = "postgres://postgres:postgres@127.0.0.1:5432/postgres"
const START_MS_MAX = 60_000
const LOOK_MS = 50

/** A server of one's own, which a test may stop and start again. */
export interface OwnPostgres {
  /** Of an administrator's database. */
  readonly url: string
  readonly port: number
  start(): Promise<void>
  /** `fast` lets nobody finish; `immediate` is a crash: what was committed is found again by its log. */
  stop(how?: "fast" | "immediate"): Promise<void>
}

/**
 * The address of a server on which this run may make databases; `null`, with the reason on stderr, where there is none.
 *
 * @throws {Error} without one where `CI` is set: there, what is not tested has failed.
 */
export async function findPostgres(): Promise<string | null> {
  const given = process.env.TRESTLE_TEST_POSTGRES
  if (given) return given
  if (await answers(STANDARD_PORT_URL)) return STANDARD_PORT_URL
  const programs = debianPrograms()
  if (programs !== null) return sharedServer(programs)
  const why = "PostgreSQL is not here (apt-get install postgresql, or TRESTLE_TEST_POSTGRES=postgres://...): what needs it is not tested"
  if (process.env.CI) throw new Error(why)
  console.warn(why)
  return null
}

/** Makes an empty database on that server; `drop` removes it, whoever is still connected. */
export async function newDatabase(server: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `trestle_test_${randomBytes(6).toString("hex")}`
  await asAdministrator(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => asAdministrator(server, `drop database if exists ${name} with (force)`) }
}

export interface OwnOptions {
  /** With every flush to the disk. Default `false`. */
  isDurable?: boolean
  /** Path of its certificate, without `.pem`; beside it stands its `.key`. Default: it speaks no TLS. */
  certificate?: string
}

/** Starts a server that no other test uses. It ends with this process at the latest. `null` where Debian's binary is not here. */
export async function ownPostgres({ isDurable = false, certificate }: OwnOptions = {}): Promise<OwnPostgres | null> {
  const programs = debianPrograms()
  if (programs === null) return null
  const folder = mkdtempSync(join(tmpdir(), "trestle-postgres-"))
  const server = await initialised(programs, folder)
  const tls = certificate === undefined ? {} : tlsSettings(certificate, folder)
  const settings = { ...(isDurable ? DURABLE : FAST), ...tls }
  const start = (): Promise<void> => started(server, { owner: process.pid, settings })
  await start()
  return {
    url: server.url,
    port: server.port,
    start,
    stop: async (how = "fast") => void runAs(programs, "pg_ctl", ["stop", "-w", "-D", server.data, "-m", how]),
  }
}

interface Server {
  readonly programs: string
  readonly folder: string
  readonly data: string
  readonly port: number
  readonly url: string
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 500 })
  client.on("error", () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query("select rolcreatedb from pg_roles where rolname = current_user")
    return rows[0]?.rolcreatedb === true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function asAdministrator(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** The newest version that is installed. */
function debianPrograms(): string | null {
  const all = "/usr/lib/postgresql"
  if (!existsSync(all)) return null
  const versions = readdirSync(all).filter((version) => existsSync(join(all, version, "bin", "initdb")))
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
  return newest === undefined ? null : join(all, newest, "bin")
}

/** Workers of one run share their parent, so its number names the run. The first one starts the server, the others wait for it. */
async function sharedServer(programs: string): Promise<string> {
  const folder = join(tmpdir(), `trestle-postgres-run-${process.ppid}`)
  const ready = join(folder, "url")
  const broken = join(folder, "broken")
  if (claimed(folder)) {
    try {
      const server = await initialised(programs, folder)
      await started(server, { owner: process.ppid, settings: FAST })
      writeFileSync(`${ready}.new`, server.url)
      renameSync(`${ready}.new`, ready)
    } catch (error) {
      writeFileSync(broken, String(error))
      throw error
    }
  }
  for (let waitedMs = 0; !existsSync(ready); waitedMs += LOOK_MS) {
    if (existsSync(broken)) throw new Error(`PostgreSQL did not start: ${readFileSync(broken, "utf8")}`)
    if (waitedMs > START_MS_MAX) throw new Error(`PostgreSQL is not ready after ${START_MS_MAX} ms: look into ${folder}`)
    await pause(LOOK_MS)
  }
  return readFileSync(ready, "utf8")
}

/** Whether this worker is the first: only one can make the folder. */
function claimed(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch {
    return false
  }
}

async function initialised(programs: string, folder: string): Promise<Server> {
  const data = join(folder, "data")
  const password = randomBytes(12).toString("hex")
  const passwordFile = join(folder, "password")
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (process.getuid?.() === 0) for (const path of [folder, passwordFile]) chownSync(path, ...postgresUser())
  runAs(programs, "initdb", [
    "-D",
    data,
    "-U",
    "trestle",
    "-A",
    "scram-sha-256",
    `--pwfile=${passwordFile}`,
    "-E",
    "UTF8",
    "--no-sync",
    "--locale=C",
  ])
  const port = await freePort()
  return { programs, folder, data, port, url: `postgres://trestle:${password}@127.0.0.1:${port}/postgres` }
}

/**
 * Starts it, and beside it a guardian: a shell that waits for the end of the owner, however that comes, then stops the server and removes
 * its folder.
 */
async function started({ programs, folder, data, port }: Server, how: { owner: number; settings: object }): Promise<void> {
  const settings = Object.entries({ ...SETTINGS, ...how.settings, port, unix_socket_directories: folder })
  const options = settings.map(([name, value]) => `-c ${name}=${value}`).join(" ")
  runAs(programs, "pg_ctl", ["start", "-w", "-t", "60", "-D", data, "-l", join(folder, "log"), "-o", options])
  const guardian = join(folder, "guarded")
  if (existsSync(guardian)) return
  writeFileSync(guardian, "")
  const [program, args] = commandAs(programs, "pg_ctl", ["stop", "-D", data, "-m", "immediate"])
  const script = `while kill -0 ${how.owner} 2>/dev/null; do sleep 0.3; done; "$@" >/dev/null 2>&1; rm -rf '${folder}'`
  spawn("sh", ["-c", script, "guardian", program, ...args], { detached: true, stdio: "ignore", cwd: "/" }).unref()
}

/** The server reads its key only where it is its own, and nobody else's. */
function tlsSettings(certificate: string, folder: string): object {
  const settings = { ssl: "on", ssl_cert_file: join(folder, "server.pem"), ssl_key_file: join(folder, "server.key") }
  writeFileSync(settings.ssl_cert_file, readFileSync(`${certificate}.pem`))
  writeFileSync(settings.ssl_key_file, readFileSync(`${certificate}.key`), { mode: 0o600 })
  if (process.getuid?.() === 0) for (const path of [settings.ssl_cert_file, settings.ssl_key_file]) chownSync(path, ...postgresUser())
  return settings
}

function runAs(programs: string, name: string, args: readonly string[]): void {
  const [program, all] = commandAs(programs, name, args)
  // pg_ctl's server would keep a pipe open, and this process would wait for its end.
  execFileSync(program, all, { stdio: ["ignore", "ignore", "inherit"], cwd: "/" })
}

/** PostgreSQL refuses to run as root. */
function commandAs(programs: string, name: string, args: readonly string[]): [string, string[]] {
  const program = join(programs, name)
  if (process.getuid?.() !== 0) return [program, [...args]]
  return ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, ...args]]
}

function postgresUser(): [number, number] {
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return [id("-u"), id("-g")]
}
