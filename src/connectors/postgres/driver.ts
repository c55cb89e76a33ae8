import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { SourcePlace } from "../../base/source-place.ts"
import { TrestleError } from "../../errors/trestle-error.ts"

/** Of the package that speaks PostgreSQL's protocol: what is used of it here. The application installs it; Trestle does not. */
export interface PgDriver {
  readonly Client: new (settings: PgSettings) => PgClient
  readonly Connection: new (settings: { readonly ssl: PgSettings["ssl"] }) => PgConnection
}

export interface PgSettings {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** A function, so that the driver looks for one neither in variables nor in files of its own. */
  readonly password: () => string
  readonly ssl: false | { readonly ca?: string; readonly rejectUnauthorized: true }
  readonly application_name: string
  readonly options: string | undefined
  readonly keepAlive: true
}

export interface PgClient {
  readonly connection: PgConnection
  readonly processID: number
  readonly secretKey: number
  connect(): Promise<unknown>
  end(): Promise<void>
  on(event: "error", hear: (error: Error) => void): unknown
  on(event: "notification", hear: (message: { readonly processId: number }) => void): unknown
  /** A word of control or a script, by the simple protocol. */
  query(text: string): Promise<{ readonly command: string }>
  query(submittable: PgSubmittable): unknown
}

/** What the driver sends and then tells of each message of the answer; the door by which `pg-cursor` comes in as well. */
export interface PgSubmittable {
  submit(connection: PgConnection): null
  handleRowDescription(message: { readonly fields: readonly PgField[] }): void
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void
  handlePortalSuspended(): void
  handleEmptyQuery(): void
  handleCommandComplete(message: { readonly text: string }): void
  handleCopyInResponse(connection: PgConnection): void
  handleCopyData(): void
  handleError(error: Error): void
  handleReadyForQuery(): void
}

export interface PgField {
  readonly name: string
  readonly dataTypeID: number
}

/** The protocol's messages. Source: postgresql.org/docs/current/protocol-flow.html, "Extended Query". */
export interface PgConnection {
  readonly stream: {
    cork(): void
    uncork(): void
    destroy(error?: Error): void
    on(event: "data", hear: (bytes: Uint8Array) => void): unknown
  }
  connect(portOrPath: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  end(): void
  parse(statement: { readonly text: string; readonly name: string; readonly types: readonly number[] }): void
  bind(bound: {
    readonly portal: string
    readonly statement: string
    readonly values: readonly unknown[]
    readonly valueMapper: (value: unknown) => unknown
  }): void
  describe(what: { readonly type: "P"; readonly name: string }): void
  execute(what: { readonly portal: string; readonly rows: number }): void
  sync(): void
  sendCopyFail(why: string): void
  on(event: "connect" | "sslconnect" | "end" | "parseComplete", hear: () => void): unknown
  on(event: "error", hear: (error: Error) => void): unknown
  on(event: "readyForQuery", hear: (message: { readonly status: string }) => void): unknown
}

/** Tested with these. */
const RANGE = "8.11 to 8.23"
const MAJOR = "8."

/**
 * Loads the driver `pg` that the application has installed, from where the service is declared, else from the folder of the process.
 *
 * @throws {TrestleError} `START_REFUSED` (TRS1043) when it is not installed, or of another major version.
 */
export async function loadDriver(at: SourcePlace | null): Promise<PgDriver> {
  const home = homeOf(at)
  if (home === null) throw refused("the package pg is not installed")
  const { version } = home("pg/package.json") as { version: string }
  if (!version.startsWith(MAJOR)) throw refused(`the package pg is of version ${version}`)
  const loaded = await import(pathToFileURL(home.resolve("pg")).href)
  return loaded.default
}

function homeOf(at: SourcePlace | null): NodeJS.Require | null {
  const declared = at && (at.file.startsWith("file:") ? fileURLToPath(at.file) : at.file)
  for (const from of [...(declared ? [declared] : []), join(process.cwd(), "package.json")]) {
    const home = createRequire(from)
    try {
      home.resolve("pg/package.json")
      return home
    } catch {
      // Perhaps from the next place.
    }
  }
  return null
}

function refused(why: string): TrestleError {
  return new TrestleError("START_REFUSED", `${why}; this connector is tested with pg ${RANGE}`, {
    findings: [{ code: "TRS1043", fix: "npm install pg@8" }],
  })
}
