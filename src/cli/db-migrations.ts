import { describe } from "../assembly/describe.ts"
import { systemClock } from "../base/clock.ts"
import { Redactor } from "../base/redact.ts"
import { loadEnvironment } from "../config/environment.ts"
import { needsOf, resolveReferences } from "../config/references.ts"
import type { Finding } from "../contract/finding.ts"
import { type HasMigrations, hasMigrations, type MigrationState, type Migrator } from "../contract/sql-session.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { type FindingCode, finding } from "../runtime/findings.ts"
import { servicesOf } from "../runtime/within.ts"
import type { DbFlags } from "./db.ts"
import { makeStore, storeState, storeText } from "./db-store.ts"
import { EXIT, type ExitCode, Stop } from "./exit.ts"
import { cliFinding, didYouMean, usage } from "./findings.ts"
import { loadApp } from "./load-app.ts"
import { paintFor } from "./paint.ts"
import type { Report } from "./report.ts"
import { table } from "./table.ts"

/** What became of one database. */
interface Tended {
  readonly service: string
  readonly migrations: readonly MigrationState[]
  /** Names of those that were applied just now, or would be. */
  readonly applied: readonly string[]
  readonly findings: readonly Finding[]
  readonly exit: ExitCode
}

type Tend = (migrator: Migrator, service: HasMigrations) => Promise<Omit<Tended, "service">>

/** `trestle db status` */
export async function listMigrations(flags: DbFlags): Promise<Report> {
  const store = await storeState(flags)
  const tended = await tendAll(
    flags,
    async (migrator, service) => {
      const migrations = await migrator.states()
      const findings = stateFindings(migrations, service)
      return { migrations, applied: [], findings, exit: findings.length > 0 ? EXIT.found : EXIT.ok }
    },
    store !== null,
  )
  const rows = tended.flatMap(({ service, migrations }) => migrations.map((one) => ({ service, ...one })))
  return reportOf(tended, {
    summary: { migrations: rows.length, pending: rows.filter(({ state }) => state === "pending").length },
    json: { store },
    text: rows.length > 0 ? statesText(rows) : "",
    notes: store ? storeText(store) : "",
  })
}

/** `trestle db migrate` */
export async function applyMigrations(flags: DbFlags): Promise<Report> {
  const isDry = flags.dryRun === true
  const store = await storeState(flags)
  if (store && store.version < store.wanted && !isDry) await makeStore(flags)
  const tended = await tendAll(
    flags,
    async (migrator, service) => {
      if (!isDry) {
        const applied = await migrator.apply()
        return { migrations: await migrator.states(), applied, findings: [], exit: EXIT.ok }
      }
      const migrations = await migrator.states()
      const findings = stateFindings(migrations, service).filter(({ code }) => code !== "TRS1020")
      const pending = migrations.filter(({ state }) => state === "pending").map(({ name }) => name)
      return { migrations, applied: pending, findings, exit: findings.length > 0 ? EXIT.found : EXIT.ok }
    },
    store !== null,
  )
  const count = tended.reduce((sum, { applied }) => sum + applied.length, 0)
  const said = tended.flatMap(({ service, applied }) =>
    applied.map((name) => `${isDry ? "would apply" : "applied"} ${name} to ${service}\n`),
  )
  const isStoreBehind = store !== null && store.version < store.wanted
  if (isStoreBehind) said.push(`${isDry ? "would bring" : "brought"} Trestle's own tables in ${store.place} to version ${store.wanted}\n`)
  return reportOf(tended, {
    json: { store: store && { ...store, version: isDry ? store.version : store.wanted } },
    summary: isDry ? { applied: 0, wouldApply: count } : { applied: count },
    text: said.join(""),
    notes: count === 0 && !isStoreBehind && tended.every(({ exit }) => exit === EXIT.ok) ? "nothing to apply\n" : "",
  })
}

function reportOf(tended: readonly Tended[], report: Pick<Report, "summary" | "text" | "notes" | "json">): Report {
  const findings = tended.flatMap((one) => one.findings)
  const worst = tended.find(({ exit }) => exit === EXIT.unreachable) ?? tended.find(({ exit }) => exit !== EXIT.ok)
  const services = tended.map(({ service, migrations, applied }) => ({ service, migrations, applied }))
  return {
    exit: worst?.exit ?? EXIT.ok,
    findings,
    ...report,
    json: { services, ...report.json },
    summary: { services: tended.length, ...report.summary },
  }
}

/** One database after the other; what is wrong with one says nothing of the next. */
async function tendAll(flags: DbFlags, tend: Tend, hasStore: boolean): Promise<Tended[]> {
  const { app } = await loadApp(flags.app)
  const all = servicesOf(describe(app).operations).filter(hasMigrations)
  const services = all.length === 0 && hasStore ? [] : chosenOf(flags.service, all)
  const environment = loadEnvironment({ folder: process.cwd() })
  const { references, findings } = resolveReferences(services.flatMap(needsOf), environment, new Redactor())
  const missing = [...environment.findings, ...findings].filter(({ severity }) => severity === "error")
  if (missing.length > 0) throw new Stop(EXIT.noLoad, missing)
  const tended: Tended[] = []
  for (const service of services) {
    try {
      const migrator = await service.openMigrator({ references, clock: systemClock })
      try {
        tended.push({ service: service.name, ...(await tend(migrator, service)) })
      } finally {
        await migrator.close()
      }
    } catch (error) {
      tended.push(failed(service, error))
    }
  }
  return tended
}

function chosenOf(wanted: string | undefined, services: readonly HasMigrations[]): readonly HasMigrations[] {
  const names = services.map(({ name }) => name)
  if (wanted === undefined) {
    if (services.length > 0) return services
    throw usage(
      "no service of the application has migrations",
      'sqlite({ file: ..., migrations: new URL("./migrations/", import.meta.url) })',
    )
  }
  const chosen = services.filter(({ name }) => name === wanted)
  if (chosen.length > 0) return chosen
  throw usage(`no service "${wanted}" has migrations`, didYouMean(wanted, names, `There are: ${names.join(", ") || "none"}`))
}

function stateFindings(migrations: readonly MigrationState[], { name, at }: HasMigrations): Finding[] {
  const named = (wanted: (state: MigrationState["state"]) => boolean): string[] =>
    migrations.filter(({ state }) => wanted(state)).map((one) => (one.state === "pending" ? one.name : `${one.name} (${one.state})`))
  const pending = named((state) => state === "pending")
  const misfits = named((state) => state !== "pending" && state !== "applied")
  return [
    ...(misfits.length > 0 ? [finding("TRS1021", at, `${name}: ${misfits.join(", ")}`, "Put applied migrations back as they were.")] : []),
    ...(pending.length > 0 ? [finding("TRS1020", at, `${name} lacks ${pending.join(", ")}`, "trestle db migrate")] : []),
  ]
}

/** A connector may name its own finding; else the database cannot be opened. */
function failed({ name, at }: HasMigrations, error: unknown): Tended {
  if (!TrestleError.is(error)) throw error
  const own = error.findings[0] as { code: FindingCode; fix: string } | undefined
  const one = own
    ? finding(own.code, at, `${name}: ${error.detail}`, own.fix)
    : cliFinding("TRS3010", error.detail, "Correct the file's path, or the rights on it and its folder.", { place: at })
  return { service: name, migrations: [], applied: [], findings: [one], exit: own ? EXIT.found : EXIT.unreachable }
}

function statesText(rows: readonly (MigrationState & { readonly service: string })[]): string {
  const paint = paintFor(process.stdout)
  const head = ["SERVICE", "MIGRATION", "STATE", "APPLIED"].map((title) => paint("dim", title))
  const body = rows.map(({ service, name, state, appliedAt }) => [service, name, state, appliedAt ?? "-"])
  return table([head, ...body], process.stdout.isTTY ? process.stdout.columns : undefined)
}
