import { systemClock } from "../../base/clock.ts"
import { systemRandom } from "../../base/random.ts"
import type { SourcePlace } from "../../base/source-place.ts"
import type { Reference, References } from "../../contract/reference.ts"
import type { Lack } from "../../contract/stand-in.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { isHere, type PostgresAddress, readAddress } from "./address.ts"
import { PostgresDatabase } from "./database.ts"
import { loadDriver, type PgDriver } from "./driver.ts"
import { messageOf } from "./failure.ts"

/** A server on which databases may be made and dropped. Never the address of a service: that one has somebody's data. */
export const SCRATCH: Reference = { ref: "TRESTLE_FAULTS_POSTGRES", secret: true, fallback: "" }
const HOST: Reference = { ref: "TRESTLE_FAULTS_HOST", secret: false, fallback: "" }

/** Only what has such a name is ever dropped: with the second in which it was made. */
const NAMES = /^trestle_faults_(\d{10})_[0-9a-f]{12}$/
const PREFIX = "trestle_faults_"
const LEFTOVER_S = 86_400
const DATABASES_MAX = 100_000
/** A session is read-only unless it says otherwise. */
const WRITABLE = "set session characteristics as transaction read write"

/** Makes and drops the databases of stand-ins. */
export class ScratchServer {
  readonly #driver: PgDriver
  readonly #address: PostgresAddress

  private constructor(driver: PgDriver, address: PostgresAddress) {
    this.#driver = driver
    this.#address = address
  }

  /** @throws {TrestleError} `START_REFUSED` without a driver */
  static async of(references: References, at: SourcePlace | null): Promise<ScratchServer | Lack> {
    const address = scratchAddress(references)
    return "why" in address ? address : new ScratchServer(await loadDriver(at), address)
  }

  get place(): { readonly host: string; readonly port: number } {
    return this.#address
  }

  /** Whether databases can be made there; drops those that a run has left behind which was killed more than a day ago. */
  async prepare(): Promise<Lack | null> {
    try {
      return await this.#with(this.#address, async (server) => {
        const { rows } = await server.ask(MAY_CREATE, 1)
        if (rows[0]?.may !== true) return lack("its user may make no database", `On that server: alter role ${this.#address.user} createdb`)
        for (const name of await leftovers(server)) await server.exec(`drop database if exists ${name}`).catch(() => undefined)
        return null
      })
    } catch (error) {
      return lack(`it cannot be reached: ${messageOf(error)}`, `Start it, or name another one: ${EXAMPLE}`)
    }
  }

  /** An empty database; gives its name. */
  async create(): Promise<string> {
    const name = `${PREFIX}${nowInSeconds()}_${systemRandom.hex(6)}`
    await this.#with(this.#address, (server) => server.exec(`create database ${name}`))
    return name
  }

  /** Whoever is still connected to it is not any more. */
  async drop(name: string): Promise<void> {
    await this.#with(this.#address, async (server) => {
      await server.ask({ ...END_ALL, values: [name] }, DATABASES_MAX)
      await server.exec(`drop database if exists ${name}`)
    })
  }

  /** A connection to one of them, past every fault. */
  async connect(name: string): Promise<PostgresDatabase> {
    return this.#connected({ ...this.#address, database: name })
  }

  /** The address of one of them by way of a port of this machine. */
  addressOf(name: string, port: number): string {
    const { user, password, options } = this.#address
    const url = new URL(`postgres://127.0.0.1:${port}/${name}?sslmode=disable`)
    url.username = encodeURIComponent(user)
    url.password = encodeURIComponent(password)
    if (options !== undefined) url.searchParams.set("options", options)
    return url.href
  }

  async #with<T>(address: PostgresAddress, work: (server: PostgresDatabase) => Promise<T>): Promise<T> {
    const server = await this.#connected(address)
    try {
      return await work(server)
    } finally {
      await server.close()
    }
  }

  async #connected(address: PostgresAddress): Promise<PostgresDatabase> {
    const database = new PostgresDatabase(this.#driver, address, "faults")
    await database.connect()
    try {
      await database.exec(WRITABLE)
      return database
    } catch (error) {
      database.destroy()
      throw error
    }
  }
}

const EXAMPLE = `${SCRATCH.ref}=postgres://postgres:postgres@127.0.0.1:5432/postgres`
const MAY_CREATE = { text: "select rolcreatedb or rolsuper as may from pg_roles where rolname = current_user", values: [] }
export const END_ALL = { text: "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()" }

function scratchAddress(references: References): PostgresAddress | Lack {
  const url = references.read(SCRATCH)
  if (url === "") return lack("it is not set", `Name a PostgreSQL server for tests, on which databases are made and dropped: ${EXAMPLE}`)
  const address = readAddress(url)
  if ("wrong" in address) return lack(`it ${address.wrong}`, `Write it like ${EXAMPLE}`)
  const { host, tls } = address
  if (host.startsWith("/")) return lack("it names a socket's folder, and faults are made on TCP", `Write it like ${EXAMPLE}`)
  if (!isHere(host) && references.read(HOST) !== host)
    return lack(`its host ${host} is beyond this machine`, `If that is a server for tests, say so: ${HOST.ref}=${host}`)
  if (tls !== null) return lack("its way is encrypted, and faults are made on the way", "Add ?sslmode=disable to it")
  return address
}

function lack(what: string, fix: string): Lack {
  return { why: `PostgreSQL is tried on the server that ${SCRATCH.ref} names, and ${what}`, fix }
}

async function leftovers(server: PostgresDatabase): Promise<readonly string[]> {
  const text = "select datname as name from pg_database where starts_with(datname, $1)"
  const { rows } = await server.ask({ text, values: [PREFIX] }, DATABASES_MAX)
  const isOld = (name: string): boolean => nowInSeconds() - Number(NAMES.exec(name)?.[1] ?? Infinity) > LEFTOVER_S
  return rows.map(({ name }) => String(name)).filter(isOld)
}

function nowInSeconds(): number {
  return Math.floor(systemClock.epoch() / 1000)
}

/** What `prepare` of the connector's rehearsal does. */
export async function prepareScratch(references: References, at: SourcePlace | null): Promise<Lack | null> {
  try {
    const server = await ScratchServer.of(references, at)
    return server instanceof ScratchServer ? await server.prepare() : server
  } catch (error) {
    if (!TrestleError.is(error)) throw error
    return { why: error.message, fix: "npm install pg@8" }
  }
}
