import type { Operation } from "../contract/operation.ts"
import type { Service } from "../contract/service.ts"
import type { Fault } from "../contract/stand-in.ts"
import { inputOf } from "./case-subject.ts"
import type { FaultBench } from "./fault-bench.ts"
import { type FaultRow, type FaultTrouble, UNTRIED } from "./fault-row.ts"
import type { Played, Script } from "./fault-stage.ts"
import { type RowHead, type RowSubject, rowOf } from "./fault-told.ts"
import { neighboursOf, servicesIn } from "./fault-verdict.ts"
import { isJournaledFlow } from "./flow-watch.ts"

/** What became of one operation. */
export interface Tried {
  readonly rows: readonly FaultRow[]
  readonly isWithoutService: boolean
  readonly doubt: FaultTrouble | null
}

const WITHOUT_SERVICE: Tried = { rows: [], isWithoutService: true, doubt: null }

/** First once while all is well, which shows the services that its code asks; then once for each fault of each service. */
export async function tryOperation(bench: FaultBench, operation: Operation): Promise<Tried> {
  const { backend } = operation.declaration
  if (!backend || bench.services.length === 0) return WITHOUT_SERVICE
  const declared = servicesIn(backend)
  const found = await inputFor(operation)
  if ("why" in found) return untriedWhole(bench, operation, found.why)
  const { input } = found
  const baseline = await healthyRun(bench, { operation, input, failing: new Map() })
  const asked = bench.services.filter((service) => (baseline.arrivals.get(service) ?? []).length > 0)
  const services = [...new Set([...declared, ...asked])]
  const doubt = bench.isInterrupted ? null : doubtIn(bench, operation, { baseline, services })
  if (services.length === 0) return doubt === null ? WITHOUT_SERVICE : { rows: [endedEarly(operation)], isWithoutService: false, doubt }
  const { operations, defaults, absent } = bench
  const subject = { operation, input, baseline, operations, defaults, absent }
  const rows = await Promise.all(services.filter((one) => bench.isWanted(one)).map((service) => tryService(bench, subject, service)))
  return { rows: rows.flat(), isWithoutService: false, doubt }
}

async function healthyRun(bench: FaultBench, script: Script): Promise<Played> {
  const played = await bench.play(script)
  return played.isCut || madeUpIn(played) === null ? played : bench.playAlone(script)
}

async function tryService(bench: FaultBench, subject: RowSubject, service: Service): Promise<FaultRow[]> {
  const { operation } = subject
  const faults = bench.faultsFor(service, operation)
  const whole = { ...UNTRIED, operation: operation.path, service: service.name, fault: null, trouble: null }
  const absence = bench.absent.get(service)
  if (absence) return [{ ...whole, why: absence.why }]
  if (faults.length === 0) return [{ ...whole, why: `nothing can happen to a ${operation.effect} of it` }]
  const always = faults.map((fault): Failing => ({ service, fault, nth: null }))
  const all = [...always, ...laterFailures(subject, service, faults)]
  bench.plan(all.length)
  return Promise.all(all.map((failing) => tryFault(bench, subject, failing)))
}

/** A flow has more to lose the further it has come: each later write of a good run fails once for itself, so that what was done is undone. */
function laterFailures({ operation, baseline }: RowSubject, service: Service, faults: readonly Fault[]): Failing[] {
  const passing = isJournaledFlow(operation) ? faults.filter(({ canPass }) => canPass) : []
  const writes = (baseline.arrivals.get(service) ?? []).filter(({ effect }) => effect !== null).length
  const later = Array.from({ length: Math.max(0, writes - 1) }, (_, i) => i + 2)
  return later.flatMap((nth) => passing.map((fault) => ({ service, fault, nth })))
}

interface Failing {
  readonly service: Service
  readonly fault: Fault
  /** The one write of it alone that fails; `null`: everything does. */
  readonly nth: number | null
}

async function tryFault(bench: FaultBench, subject: RowSubject, { service, fault, nth }: Failing): Promise<FaultRow> {
  const { operation, input } = subject
  const before = nth === null ? firstFaults(bench, operation, service) : []
  const failing = new Map<Service, Fault>([...before, [service, fault]])
  const script: Script = { operation, input, failing, ...(nth === null ? {} : { nth }) }
  const after = [...failing.keys()].filter((one) => one !== service).map(({ name }) => name)
  const row: RowHead = { operation: operation.path, service: service.name, fault: fault.name, nth, after }
  if (bench.isInterrupted) return { ...UNTRIED, ...row, why: "interrupted", trouble: null }
  const told = (played: Played): FaultRow => {
    const seen = rowOf(row, played, { ...subject, service, fault, nth })
    const why = bench.doubtOf(played, seen.trouble !== null)
    return why === null ? seen : { ...UNTRIED, ...row, why, trouble: null }
  }
  const first = told(await bench.play(script))
  // Those that run beside it make it slower than it is: what is called broken has been seen without them.
  const certain = first.trouble === null ? first : told(await bench.playAlone(script))
  bench.done()
  return certain
}

/** A service that others stand before is asked only when they have failed: in the first way in which each of them can. */
function firstFaults(bench: FaultBench, operation: Operation, service: Service): [Service, Fault][] {
  const { backend } = operation.declaration
  const before = backend ? neighboursOf(backend, service).before.flatMap(servicesIn) : []
  return before.flatMap((one): [Service, Fault][] => {
    const [first] = bench.faultsFor(one, operation)
    return first && one !== service ? [[one, first]] : []
  })
}

async function inputFor(operation: Operation): Promise<{ readonly input: unknown } | { readonly why: string }> {
  try {
    return { input: await inputOf({ operation }) }
  } catch (error) {
    return { why: (error as Error).message.replace(`${operation.path}: `, "").replace(/\. Give it one:.*$/, "") }
  }
}

function untriedWhole(bench: FaultBench, { path, declaration }: Operation, why: string): Tried {
  const services = [...new Set(servicesIn(declaration.backend!))].filter((one) => bench.isWanted(one))
  const row = { ...UNTRIED, operation: path, fault: null, why, trouble: null }
  const rows = services.length > 0 ? services.map(({ name }) => ({ ...row, service: name })) : [{ ...row, service: null }]
  const fix = "examples: [{ input: { ... }, output: { ... } }],"
  return {
    rows,
    isWithoutService: false,
    doubt: { kind: "not tried", message: `${path} is not tried: ${why}`, fix, place: declaration.at },
  }
}

/** Code may stop before it comes to a service. */
function endedEarly({ path }: Operation): FaultRow {
  return { ...UNTRIED, operation: path, service: null, fault: null, why: "it ended before it asked a service", trouble: null }
}

/** Why a run in which all was well did not end well, or not by the first choice. */
function madeUpIn({ record, nested }: Played): string | null {
  const { error } = record
  if (error !== null && error.outcome !== "answered") return error.note ?? error.detail
  const second = [record, ...nested].find(({ meta }) => meta.degraded !== false || meta.servedBy === "defer")
  return second ? `${second.operation} was answered by ${second.meta.servedBy}` : null
}

/** A call that fails while all is well does so because of an answer that we have made up. */
function doubtIn(
  bench: FaultBench,
  operation: Operation,
  { baseline, services }: { readonly baseline: Played; readonly services: readonly Service[] },
): FaultTrouble | null {
  const why = madeUpIn(baseline)
  // What is said of the service that is absent says it all.
  if (why === null || services.some((one) => bench.absent.has(one))) return null
  const { path, declaration } = operation
  const paths = [path, ...baseline.nested.map((one) => one.operation)]
  const guess = bench.callsOf(services).find((one) => one.unknown !== undefined && paths.includes(one.operation))
  return {
    kind: "not tried",
    message: `${path}: what its services answer when all is well is not known (${why})`,
    fix: guess ? `${guess.operation}: ${guess.unknown}` : "Give the contract an example whose answer a service can give.",
    place: declaration.at,
  }
}
