import { readFileSync } from "node:fs"

/** Where a PostgreSQL server is, who we are to it, and how the way there is protected. */
export interface PostgresAddress {
  /** Name or number; of a socket its folder. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** Empty without one. */
  readonly password: string
  readonly database: string
  /** `null`: nothing protects the way. */
  readonly tls: { readonly rootFile: string | null } | null
  readonly applicationName: string | null
  /** Settings of the session, in the server's own form: `-c search_path=notes`. */
  readonly options: string | undefined
}

const PORT = 5432
const FIELDS = ["sslmode", "sslrootcert", "application_name", "options", "host"]
/** `require` checks the certificate here: libpq's does not, and so protects from nobody who stands in between. */
const CHECKED = ["require", "verify-full"]

/**
 * Reads `postgres://user:password@host:5432/database?sslmode=verify-full`, or says in words what is wrong with it, without repeating any of
 * it. No part of it comes from anywhere else: neither from variables such as `PGPASSWORD` nor from files such as `.pgpass`.
 *
 * Without `sslmode`, TLS is off on this machine and on elsewhere. Where it is on, the certificate is always checked.
 */
export function readAddress(text: string): PostgresAddress | { readonly wrong: string } {
  const url = URL.parse(text)
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol)) return { wrong: "is no postgres:// URL" }
  const fields = url.searchParams
  const unknown = [...fields.keys()].find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) return { wrong: `has the field "${unknown}"; known are ${FIELDS.join(", ")}` }
  const socket = fields.get("host")
  if (socket !== null && !socket.startsWith("/")) return { wrong: "names in its field host no folder of a socket" }
  const host = socket ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, "")
  const database = decodeURIComponent(url.pathname.slice(1))
  if (host === "" || url.username === "" || database === "") return { wrong: "does not name all of user, host and database" }
  const tls = tlsOf(fields, host)
  if (tls !== null && "wrong" in tls) return tls
  return {
    host,
    port: Number(url.port) || PORT,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    tls,
    applicationName: fields.get("application_name"),
    options: fields.get("options") ?? undefined,
  }
}

function tlsOf(fields: URLSearchParams, host: string): PostgresAddress["tls"] | { readonly wrong: string } {
  const file = fields.get("sslrootcert")
  const mode = fields.get("sslmode") ?? (file === null && isHere(host) ? "disable" : "verify-full")
  if (mode === "disable") return file === null ? null : { wrong: "names an sslrootcert, and with sslmode=disable there is no TLS" }
  if (!CHECKED.includes(mode)) return { wrong: `has sslmode=${mode}; write disable for none, or verify-full, which checks the certificate` }
  return { rootFile: file }
}

/** What Node's TLS is told: whom to trust is asked at each connection, so that a renewed file counts. @throws what reading the file ends with */
export function tlsSettings(tls: PostgresAddress["tls"]): false | { readonly ca?: string; readonly rejectUnauthorized: true } {
  if (tls === null) return false
  return { ...(tls.rootFile === null ? {} : { ca: readFileSync(tls.rootFile, "utf8") }), rejectUnauthorized: true }
}

/** What is sent there leaves this machine over no network. */
export function isHere(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || /^127(?:\.\d+){3}$/.test(host)
}
