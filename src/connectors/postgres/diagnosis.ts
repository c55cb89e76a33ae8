import type { DiagnosisHost, Step } from "../../contract/diagnosis.ts"
import { isReference } from "../../contract/reference.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { dnsStep, type Looking, tcpStep } from "../network-steps.ts"
import type { PostgresAddress } from "./address.ts"
import { PostgresDatabase } from "./database.ts"
import { loadDriver } from "./driver.ts"
import { messageOf, sqlState } from "./failure.ts"
import { addressOf, openPostgresMigrator, type PostgresSettings } from "./open.ts"

/** Enough for a middle that one slow answer does not move. */
const PROBES = 5
/** Older ones get no corrections from PostgreSQL's makers, and nobody has tried them here. */
const VERSION_MIN = 12
const ALL_STEPS = ["driver", "address", "dns", "tcp", "authentication", "version", "permission", "migrations", "latency"]

/** What a step has found, and what the next ones need. */
interface Look {
  readonly settings: PostgresSettings
  readonly host: DiagnosisHost
  readonly address: PostgresAddress
  readonly database: PostgresDatabase
}

/**
 * Driver, name, connection, TLS and credential, version, the right to use the database, migrations and latency of a PostgreSQL service, each
 * on its own. Changes nothing.
 */
export async function diagnosePostgres(settings: PostgresSettings, host: DiagnosisHost): Promise<readonly Step[]> {
  const steps: Step[] = []
  const isWell = (step: Step): boolean => steps.push(step) > 0 && step.state !== "failed"
  const left = (): Step[] => [...steps, ...notReached(steps, settings)]
  const driver = await driverStep(settings)
  if (!isWell(driver.step) || !driver.loaded) return left()
  const found = addressStep(settings, host)
  if (!isWell(found.step) || !found.address) return left()
  const { address } = found
  if (!address.host.startsWith("/")) {
    const looking: Looking = { clock: host.clock, timeoutMs: host.timeoutMs, correction: correctionOf(settings, host) }
    for (const look of [dnsStep, tcpStep]) if (!isWell(await look(address, looking))) return left()
  }
  const database = new PostgresDatabase(driver.loaded, address, settings.name)
  const look: Look = { settings, host, address, database }
  try {
    if (!isWell(await authenticationStep(look))) return left()
    for (const next of [versionStep, permissionStep, ...(settings.migrations === undefined ? [] : [migrationStep]), latencyStep])
      if (!isWell(await next(look))) return left()
    return steps
  } finally {
    await database.close()
  }
}

function notReached(steps: readonly Step[], { migrations }: PostgresSettings): Step[] {
  const last = steps.at(-1)!.name
  const rest = ALL_STEPS.slice(ALL_STEPS.indexOf(last) + 1).filter((name) => name !== "migrations" || migrations !== undefined)
  return rest.map((name) => ({ name, state: "not reached", seen: "" }))
}

async function driverStep({ at }: PostgresSettings): Promise<{ step: Step; loaded?: Awaited<ReturnType<typeof loadDriver>> }> {
  const name = "driver"
  try {
    return { step: { name, state: "ok", seen: "pg" }, loaded: await loadDriver(at) }
  } catch (error) {
    const { detail, findings } = error as TrestleError
    const fix = (findings[0] as { fix: string } | undefined)?.fix ?? "npm install pg@8"
    return { step: { name, state: "failed", seen: "missing", trouble: { kind: "unwell", message: detail, fix } } }
  }
}

function addressStep(settings: PostgresSettings, host: DiagnosisHost): { step: Step; address?: PostgresAddress } {
  const name = "address"
  try {
    const address = addressOf(settings, host)
    const way = address.tls === null ? "without TLS" : "with TLS, certificate checked"
    return { step: { name, state: "ok", seen: `${address.database} as ${address.user}, ${way}` }, address }
  } catch (error) {
    if (!TrestleError.is(error)) throw error
    const fix = `${(error.findings[0] as { fix: string }).fix}   ${correctionOf(settings, host)}`
    return { step: { name, state: "failed", seen: "wrong", trouble: { kind: "unwell", message: error.detail, fix } } }
  }
}

function correctionOf({ url }: PostgresSettings, { correction }: DiagnosisHost): string {
  return isReference(url) ? correction(url) : "url: where the service is declared"
}

async function authenticationStep(look: Look): Promise<Step> {
  const { database, host, address } = look
  const name = "authentication"
  const startedAt = host.clock.now()
  const limit = setTimeout(() => database.destroy(), host.timeoutMs)
  try {
    await database.connect()
    return { name, state: "ok", seen: `accepted as ${address.user}`, ms: host.clock.now() - startedAt }
  } catch (error) {
    const state = sqlState(error)
    const seen = state ?? (error as { code?: string }).code ?? "no answer"
    return { name, state: "failed", seen, trouble: rejection(state, error, look) }
  } finally {
    clearTimeout(limit)
  }
}

/** Why the server takes no connection, by its code. Source: postgresql.org/docs/current/errcodes-appendix.html */
function rejection(state: string | null, error: unknown, { address, settings, host }: Look): NonNullable<Step["trouble"]> {
  const correction = correctionOf(settings, host)
  const { user, database } = address
  switch (state) {
    case "28P01":
    case "28000":
      return {
        kind: "refused",
        message: `it does not accept the user ${user} with this password, or from this address`,
        fix: `Look at both: ${originOf(settings, host)}. Correct them: ${correction}   or let the user in: pg_hba.conf of the server`,
      }
    case "3D000":
      return { kind: "unwell", message: `it has no database ${database}`, fix: `createdb ${database}   or correct the name: ${correction}` }
    case "53300":
      return {
        kind: "unreachable",
        message: "all of its connections are taken",
        fix: "Look who has them: select usename, application_name, count(*) from pg_stat_activity group by 1, 2   Lower `pool`, or raise max_connections.",
      }
    case "57P03":
      return {
        kind: "unreachable",
        message: "it is starting up or shutting down",
        fix: "Wait a moment, then look into the server's own log.",
      }
    default:
      return unaccepted(error, look(address), correction)
  }
}

function look({ tls, host, port }: PostgresAddress): { isTls: boolean; place: string } {
  return { isTls: tls !== null, place: `${host}:${port}` }
}

function unaccepted(error: unknown, { isTls, place }: { isTls: boolean; place: string }, correction: string): NonNullable<Step["trouble"]> {
  const code = (error as { code?: string }).code
  const isCertificate = isTls && code !== undefined && /CERT|SIGN|ISSUER|ALTNAME/.test(code)
  if (isCertificate)
    return {
      kind: "untrusted",
      message: `its certificate proves nothing here (${code})`,
      fix: `Name who signed it: sslrootcert=/path/to/ca.pem in its address, or NODE_EXTRA_CA_CERTS before the start. Look: openssl s_client -starttls postgres -connect ${place}`,
    }
  const withoutTls = isTls && /SSL/.test(messageOf(error))
  if (withoutTls)
    return {
      kind: "untrusted",
      message: "it does not speak TLS",
      fix: `Switch it on at the server; or, where nobody can listen on the way, add sslmode=disable: ${correction}`,
    }
  return {
    kind: "unreachable",
    message: `it takes no connection: ${messageOf(error)}`,
    fix: `Try it from here: psql -h ${place.replace(":", " -p ")}`,
  }
}

function originOf({ url }: PostgresSettings, { origin }: DiagnosisHost): string {
  return isReference(url) ? origin(url) : "its url"
}

async function only({ database }: Look, text: string): Promise<unknown> {
  const { rows } = await database.ask({ text, values: [] }, 1)
  return Object.values(rows[0] ?? {})[0]
}

async function versionStep(look: Look): Promise<Step> {
  const version = String(await only(look, "show server_version"))
  const seen = `PostgreSQL ${version}`
  if (Number.parseInt(version, 10) >= VERSION_MIN) return { name: "version", state: "ok", seen }
  const message = `PostgreSQL ${version} is older than ${VERSION_MIN}`
  return {
    name: "version",
    state: "warning",
    seen,
    trouble: { kind: "unwell", message, fix: `Move to PostgreSQL ${VERSION_MIN} or later.` },
  }
}

/** A standby takes reads only; without a schema to write to, migrations and unqualified names lead nowhere. */
async function permissionStep(look: Look): Promise<Step> {
  const name = "permission"
  const { user, database } = look.address
  const isStandby = await only(look, "select pg_is_in_recovery()")
  const schema = (await only(look, "select current_schema()")) as string | null
  const seen = `${schema ?? "no schema"}${isStandby ? ", a standby: reads only" : ""}`
  if (schema !== null) return { name, state: "ok", seen }
  const message = `${user} has no schema in ${database} that it may use`
  return { name, state: "failed", seen, trouble: { kind: "refused", message, fix: `grant usage on schema public to ${user}` } }
}

async function migrationStep({ settings, host }: Look): Promise<Step> {
  const name = "migrations"
  const migrator = await openPostgresMigrator(settings, host)
  try {
    const states = await migrator.states()
    const open = states.filter(({ state }) => state !== "applied")
    const seen = `${states.length - open.length} of ${states.length} applied`
    if (open.length === 0 || settings.migratesOnStart) return { name, state: "ok", seen }
    const message = `its migrations are not all applied: ${open.map((one) => `${one.name} is ${one.state}`).join(", ")}`
    return { name, state: "failed", seen, trouble: { kind: "unwell", message, fix: "npx trestle db migrate" } }
  } finally {
    await migrator.close()
  }
}

async function latencyStep(look: Look): Promise<Step> {
  const { clock } = look.host
  const times: number[] = []
  for (let i = 0; i < PROBES; i++) {
    const startedAt = clock.now()
    await only(look, "select 1")
    times.push(clock.now() - startedAt)
  }
  const ms = times.sort((a, b) => a - b)[PROBES >> 1]!
  return { name: "latency", state: "ok", seen: `${PROBES} times select 1`, ms }
}
