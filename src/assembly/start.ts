import { parseBytes } from "../base/bytes.ts"
import { type Clock, systemClock } from "../base/clock.ts"
import { type Random, systemRandom } from "../base/random.ts"
import { Redactor } from "../base/redact.ts"
import { type Environment, loadEnvironment } from "../config/environment.ts"
import { needsOf, resolveReferences } from "../config/references.ts"
import type { Answer } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { NewMessage } from "../contract/job.ts"
import type { Operation } from "../contract/operation.ts"
import { BODY_BYTES_MAX, type Defaults } from "../contract/policy.ts"
import type { OpenTransport } from "../contract/ports.ts"
import type { Authenticate, AuthenticatorHost } from "../contract/principal.ts"
import type { References } from "../contract/reference.ts"
import type { Service } from "../contract/service.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { Checked } from "../runtime/check.ts"
import { Engine } from "../runtime/engine.ts"
import type { EvidenceBook } from "../runtime/evidence.ts"
import { servicesOf } from "../runtime/within.ts"
import { openAuthentication } from "../security/authentication.ts"
import { type HttpLimits, httpStages } from "../server/http-stages.ts"
import type { Log, LogOptions } from "../telemetry/call-log.ts"
import type { HostLogger } from "../telemetry/host-log.ts"
import { Metrics } from "../telemetry/metrics.ts"
import { checkApplication } from "./check.ts"
import { dataFolder } from "./data-folder.ts"
import { type App, definitionOf, type Running, type TrestleOptions } from "./definition.ts"
import type { DurableParts } from "./durable.ts"
import { evidenceFile, readEvidence } from "./evidence-file.ts"
import { Keepings } from "./keeping.ts"
import { driftWarningsOf, openLive, recordingOf } from "./live.ts"
import { warnOfMadeUpConsumers } from "./made-up-consumers.ts"
import { needsStore } from "./needs-store.ts"
import { checkHostLogger, openLogFor } from "./open-log.ts"
import { RunningApp } from "./running.ts"
import { type OpenService, Services } from "./services.ts"
import { maySeeInside, maySeeMeta, openShedder, securityStages, sheddingStages } from "./stages.ts"

/** What a test may put in the place of the real world. */
export interface StartOverrides {
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
  /** Gets the lines of the log that would be opened. */
  readonly hostLog?: HostLogger | undefined
  /** Changes the log that would be opened, which still masks the resolved secrets. */
  readonly logOptions?: Pick<LogOptions, "destination"> & Partial<Pick<LogOptions, "level" | "format">>
  readonly references?: References
  /** Instead of the process's variables and the `.env` files. */
  readonly environment?: Environment
  readonly transportOf?: (service: Service) => OpenTransport | null
  readonly openService?: OpenService
  /** Databases are made in memory, for this start only. */
  readonly isEphemeral?: boolean
  readonly replaced?: (operation: Operation, answer: Answer) => Answer
  readonly openAuthentication?: typeof openAuthentication
  /** Learns the resolved secrets, for whoever prints what the log would. */
  readonly redactor?: Redactor
  /** Where last good answers outlive the process; `null`: nowhere. Default: the data folder. */
  readonly keptFolder?: string | null
  /** Work that outlives its call is done by hand; `opened` is handed what does it. */
  readonly durable?: {
    readonly isByHand?: boolean
    readonly published?: (message: NewMessage) => void
    readonly opened?: (durable: DurableParts) => void
    /** How long the lease of a job holds before it must be renewed, in milliseconds. */
    readonly leaseMs?: number
  }
  /** The declarations, where they have been read already: for whoever starts one application many times. */
  readonly checked?: Checked
  /** What was seen of the operations, instead of the file in the data folder. */
  readonly evidence?: () => EvidenceBook
}

/** The one place where the rooms meet. */
export async function startApp<T>(app: App<T>, overrides: StartOverrides = {}): Promise<Running<T>> {
  const options: TrestleOptions<object> = definitionOf(app)
  const { clock = systemClock, random = systemRandom, redactor = new Redactor() } = overrides
  const checked = overrides.checked ?? checkApplication(options, clock.epoch())
  refuseIfAny(options.name, [...checked.findings, ...checkHostLogger(overrides.hostLog)])

  const environment = overrides.environment ?? loadEnvironment({ folder: process.cwd() })
  const services = withStore(servicesOf(checked.operations), options)
  const resolved = overrides.references
    ? { references: overrides.references, findings: [] }
    : resolveReferences(services.flatMap(needsOf), environment, redactor)
  refuseIfAny(options.name, [...environment.findings, ...resolved.findings])

  const log = overrides.log ?? openLogFor({ name: options.name, environment, redactor }, overrides.hostLog, overrides.logOptions)
  for (const { severity, message, fix } of [...checked.findings, ...resolved.findings])
    if (severity === "warning") log.events.warn(`${message}. ${fix}`)
  warnOfMadeUpConsumers(checked.operations, log.events)
  const { references } = resolved
  return open<T>({ options, checked, overrides, environment, services, references, log, clock, random })
}

/** A start that nothing declared or configured stands against any more. */
interface Start {
  readonly options: TrestleOptions<object>
  readonly checked: Checked
  readonly overrides: StartOverrides
  readonly environment: Environment
  readonly services: readonly Service[]
  readonly references: References
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

/** What is open when something fails is closed again. */
async function open<T>(start: Start): Promise<Running<T>> {
  const { options, checked, overrides, log, clock } = start
  const services = new Services(clock, options.defaults ?? {})
  const folder = dataFolder(start.environment)
  const { keptFolder = folder } = overrides
  const metrics = new Metrics()
  let durable: DurableParts | null = null
  const keeping = Keepings.open({
    operations: checked.operations,
    events: log.events,
    count: (operation, result) => metrics.countKept(operation, result),
    folder: keptFolder,
    clock,
  })
  try {
    refuseIfAny(
      options.name,
      await services.open({
        services: start.services,
        references: start.references,
        clock,
        events: log.events,
        transportOf: overrides.transportOf ?? (() => null),
        isEphemeral: overrides.isEphemeral ?? false,
        openService: overrides.openService ?? ((service, host) => service.open(host)),
      }),
    )
    const authenticate = await openAuthenticators(options, { now: clock.epoch, folder, ...keeping.host }, overrides)
    durable = await openDurable(start, { services, folder, authenticate, metrics })
    return await assemble<T>(start, { services, keeping, durable, metrics, folder, authenticate })
  } catch (error) {
    keeping.close()
    await durable?.close()
    await services.close()
    await log.close()
    throw error
  }
}

/** What has been opened for one start. */
interface Opened {
  readonly services: Services
  readonly keeping: Keepings
  readonly durable: DurableParts | null
  readonly metrics: Metrics
  readonly folder: string
  readonly authenticate: Authenticate | null
}

/** The engine, with every operation in it, and the face of the running application. */
async function assemble<T>(start: Start, opened: Opened): Promise<Running<T>> {
  const { services, keeping, durable, metrics, folder, authenticate } = opened
  const { options, checked, overrides, log, clock, random } = start
  const { operations, named } = checked
  const limits = limitsOf(options.defaults ?? {})
  const permissions = options.permissions ?? {}
  const seesMeta = maySeeMeta(permissions)
  const shedder = openShedder(options.defaults ?? {}, clock, log.events)
  const stages = {
    ...sheddingStages(shedder, httpStages(limits, seesMeta)),
    ...securityStages(authenticate, permissions, () => engine),
    ...(durable ? { idempotency: durable.keys.stage } : {}),
  }
  if (durable) keeping.add(durable.keys)
  const { replaced } = overrides
  const file = evidenceFile(folder)
  const live = openLive(start.environment.name, { operations, file, clock, random, log })
  const engine: Engine = new Engine({
    clock,
    random,
    record: recordingOf({ log, live, metrics, drift: driftWarningsOf(operations, log, clock) }),
    siteOf: (operation) => ({ ...services.siteOf(operation), keeping, durable: durable?.site ?? null }),
    stages,
    ...(replaced ? { replaced } : {}),
  })
  const opAt = new Map(named.map(({ path, op }) => [path, op]))
  for (const operation of operations) engine.add(opAt.get(operation.path), operation)
  keeping.begin()
  await durable?.begin(engine)
  const evidence = overrides.evidence ?? (() => readEvidence(file))
  return new RunningApp<T>({
    options: options as TrestleOptions<T & object>,
    engine,
    operations,
    services,
    keeping,
    durable,
    log,
    metrics,
    random,
    limits,
    maySeeMeta: seesMeta,
    maySeeInside: maySeeInside(authenticate, permissions),
    shedder,
    evidence,
    live,
  })
}

function limitsOf({ bodyLimit, callerDeadline }: Defaults): HttpLimits {
  return {
    bodyBytesMax: parseBytes(bodyLimit) ?? BODY_BYTES_MAX,
    callerDeadline: callerDeadline && { ...callerDeadline, header: callerDeadline.header.toLowerCase() },
  }
}

/** The store, where something needs one. */
async function openDurable(
  start: Start,
  { services, folder, authenticate, metrics }: Pick<Opened, "services" | "folder" | "authenticate" | "metrics">,
): Promise<DurableParts | null> {
  const { options, checked, overrides, log, clock, random } = start
  const { operations } = checked
  if (!needsStore(operations)) return null
  // Most of it, and the database, is of no use to an application that keeps nothing.
  const [{ DurableParts }, { openOutboxes, openStore }] = await Promise.all([import("./durable.ts"), import("./open-store.ts")])
  const service = options.store?.["~service"]
  const given = service ? { service, connection: services.connection(service) } : null
  const { name } = options
  const opened = await openStore(name, given, { folder, clock, isEphemeral: overrides.isEphemeral ?? false })
  const { isByHand = false, published = null, opened: told, leaseMs } = overrides.durable ?? {}
  const outboxes = await openOutboxes(name, start.services, (one) => services.connection(one)).catch(async (error: unknown) => {
    await opened.close()
    throw error
  })
  const durable = new DurableParts(opened, {
    operations,
    clock,
    random,
    events: log.events,
    authenticate,
    isByHand,
    outboxes,
    published,
    leaseMs,
    ran: (operation, end) => metrics.countRun(operation, end),
  })
  told?.(durable)
  return durable
}

/** The database of the store is opened where something needs a store, though no operation may use it. */
function withStore(services: readonly Service[], { store }: TrestleOptions<object>): readonly Service[] {
  return store === undefined || services.includes(store["~service"]) ? services : [...services, store["~service"]]
}

/** @throws {TrestleError} `START_REFUSED` */
function refuseIfAny(name: string, findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === "error")
  if (errors.length === 0) return
  throw new TrestleError(
    "START_REFUSED",
    `${name} cannot start: ${errors.map(({ code, message, at }) => `${code} ${message} (${at})`).join("; ")}`,
    { findings: errors },
  )
}

async function openAuthenticators(
  options: TrestleOptions<object>,
  host: AuthenticatorHost,
  overrides: StartOverrides,
): Promise<Authenticate | null> {
  const authenticators = options.authenticate ?? []
  const { openAuthentication: openInstead } = overrides
  if (authenticators.length === 0 && !openInstead) return null
  const open = openInstead ?? openAuthentication
  return open(authenticators, host)
}
