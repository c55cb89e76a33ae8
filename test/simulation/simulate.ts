import { type Random, seededRandom } from "../../src/base/random.ts"
import type { Stoppable } from "../../src/contract/call.ts"
import { KEEPS_NOTHING } from "../../src/contract/keeping.ts"
import { attemptSettings, serviceSettings } from "../../src/contract/policy.ts"
import type { CallRecord } from "../../src/contract/ports.ts"
import type { Connection, Service } from "../../src/contract/service.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { createGate, type Gate } from "../../src/policies/gate.ts"
import { guard } from "../../src/policies/guard.ts"
import { Call } from "../../src/runtime/call.ts"
import { CallStart } from "../../src/runtime/call-start.ts"
import { Engine } from "../../src/runtime/engine.ts"
import { PublicContext } from "../../src/runtime/public-context.ts"
import { type Kind, WORLDS } from "./application.ts"
import { type Arrival, Receiver } from "./receiver.ts"
import { VirtualClock } from "./virtual-clock.ts"

const CALLS = 14
/** Calls begin within this time, so that some meet in bulkheads and breakers. */
const SPAN_MS = 2_500

/** What is attached to each call and not detached; the class keeps it private, so it is watched from outside. */
const attached = new Map<Call, Set<Stoppable>>()
watchAttachments()

/** One call that the simulated application has made. */
interface Made {
  readonly operation: string
  readonly kind: Kind
  readonly intent: string
  readonly call: Call
  settled: number
  settledAt: number
}

/** Runs one world from its seed; the answer is everything that must never be. `tell` hears how each call ended. */
export async function simulate(seed: number, tell: (line: string) => void = () => {}): Promise<string[]> {
  const random = seededRandom(seed)
  const world = WORLDS[seed % WORLDS.length]!
  const clock = new VirtualClock()
  const broken: string[] = []
  attached.clear()
  const receivers = receiversOf(random, clock)
  const { gates, watch } = gatesOf(world.services, clock, broken)
  receivers.watch = watch
  const opened = await openAll(world.services, receivers.all, clock)
  const records = new Map<unknown, number>()
  const engine = new Engine({
    clock,
    random: seededRandom(seed ^ 0x5eed),
    record: (record: CallRecord) => void records.set(record, (records.get(record) ?? 0) + 1),
    stages: {},
    siteOf: (operation) => ({
      keeping: KEEPS_NOTHING,
      durable: null,
      connection: (service) => opened.get(service)!,
      guard: (service, exchange, { policy, mayRepeatUnknown }) =>
        guard(gates.get(service.name)!, exchange, {
          settings: attemptSettings(operation.effect, policy, service.policy),
          mayRepeatUnknown,
        }),
    }),
  })
  for (const operation of world.operations) engine.add(world.named.find(({ path }) => path === operation.path)!.op, operation)

  const made: Made[] = []
  const unsettled = (): Made[] => made.filter(({ settled }) => settled === 0)
  clock.paused = (endsAt) => {
    const latest = Math.max(...unsettled().map(({ call }) => call.deadlineAt))
    if (endsAt >= latest) broken.push(`a pause until ${endsAt} outlasts every call under way, the last of them ends at ${latest}`)
  }
  const names = Object.keys(world.kinds) as (keyof typeof world.kinds)[]
  for (let i = 0; i < CALLS; i++) {
    const operation = names[Math.floor(random.next() * names.length)]!
    // The last letter makes a receiver answer a known key with 409 instead of the first answer.
    const intent = `i${i}${random.next() < 0.5 ? "c" : ""}`
    const deadlineMs = random.next() < 0.3 ? Math.floor(random.next() * 900) : undefined
    const abortMs = random.next() < 0.2 ? Math.floor(random.next() * 700) : null
    clock.at(Math.floor(random.next() * SPAN_MS), () => {
      const start = new CallStart("in-process", null)
      start.isOwnAuthority = true
      start.input = { intent }
      start.deadlineMs = deadlineMs
      start.isCancelled = abortMs !== null && abortMs % 10 === 0
      let one: Made | null = null
      let early = 0
      const call = engine.start(engine.find(operation)!, start, (ended) => {
        if (!one) early++
        else {
          one.settled++
          one.settledAt = clock.now()
          tell(`${clock.now()} ${operation} ${intent} ${ended.error?.code ?? ended.meta.servedBy} ${ended.meta.attempts}`)
        }
      })
      one = { operation, kind: world.kinds[operation], intent, call, settled: early, settledAt: clock.now() }
      made.push(one)
      if (abortMs !== null) clock.at(abortMs, () => call.stop(new TrestleError("CANCELLED", undefined, { reason: "cancelled-unsent" })))
    })
  }
  // Every event, so that leftovers are seen the moment that the last call has ended, and not after they have rung.
  await clock.run(() => {
    if (made.length === CALLS && unsettled().length === 0 && clock.armed("alarm") > 0)
      broken.push(`${clock.armed("alarm")} alarms are left at ${clock.now()}, when every call has ended`)
  })

  const arrivals = receivers.all.flatMap((receiver) => receiver.arrivals)
  for (const one of made)
    broken.push(...brokenBy(one, arrivals, receivers.all, records).map((what) => `${one.operation} ${one.intent}: ${what}`))
  for (const gate of gates.values()) {
    const { active, waiting } = gate.bulkhead
    if (active !== 0 || waiting !== 0) broken.push(`the bulkhead of ${gate.name} still counts ${active} active and ${waiting} waiting`)
  }
  for (const [call, targets] of attached) if (targets.size > 0) broken.push(`${call.operation}: ${targets.size} targets are still attached`)
  if (engine.underWay().length > 0) broken.push(`still under way: ${engine.underWay().join(", ")}`)
  return [...new Set(broken)]
}

function brokenBy(one: Made, all: readonly Arrival[], receivers: readonly Receiver[], records: ReadonlyMap<unknown, number>): string[] {
  const { call, kind, intent } = one
  const broken: string[] = []
  const unless = (holds: boolean, what: string): void => void (holds || broken.push(what))
  const { error } = call
  const arrivals = all.filter((arrival) => arrival.intent === intent && arrival.isWrite === kind.isWrite)
  const writes = arrivals.filter(({ isWrite }) => isWrite).sort((a, b) => a.at - b.at)
  const effects = receivers.flatMap(({ name, effects }) => [...(effects.get(intent) ?? [])].map(() => name))

  unless(one.settled === 1, `settled ${one.settled} times`)
  unless(records.get(call) === 1, `recorded ${records.get(call) ?? 0} times`)
  unless(one.settledAt <= call.deadlineAt, `ended at ${one.settledAt}, after its deadline ${call.deadlineAt}`)
  unless(
    all.every(({ intent: its, at }) => its !== intent || at <= call.deadlineAt),
    "a request arrived after its deadline",
  )

  for (const [i, arrival] of writes.entries()) {
    for (const later of writes.slice(i + 1)) {
      const isUnknown = !arrival.isRefused
      if (isUnknown) unless(kind.mayRepeat, `sent again at ${later.at} after an unknown outcome at ${arrival.at} (${arrival.fault})`)
      if (isUnknown)
        unless(later.receiver === arrival.receiver, `fell back to ${later.receiver} after an unknown outcome (${arrival.fault})`)
      if (later.receiver === arrival.receiver) unless(later.bytes === arrival.bytes, "its bytes changed between attempts")
      if (later.receiver === arrival.receiver) unless(later.key === arrival.key, "its key changed between attempts")
    }
  }
  if (kind.isWrite) {
    unless(effects.length <= 1, `has had ${effects.length} effects (${effects.join(", ")})`)
    if (error === null) unless(effects.length === 1, `succeeded with ${effects.length} effects`)
    else {
      if (error.outcome !== "unknown")
        unless(effects.length === 0, `ended ${error.outcome} (${error.code}) with an effect at ${effects.join(", ")}`)
      // The failure of a nested read keeps its own code outside.
      const isOneStep = !/^readThen|^both/.test(one.operation)
      if (isOneStep || error.code === "OUTCOME_UNKNOWN")
        unless((error.outcome === "unknown") === (error.code === "OUTCOME_UNKNOWN"), `says ${error.code} with the outcome ${error.outcome}`)
    }
  }
  if (error === null) {
    const { by } = call.output as { by: string }
    const { servedBy, attempts, degraded } = call.meta
    unless(servedBy.split("+").includes(by), `says it was served by ${servedBy}, and ${by} answered`)
    if (kind.isWrite && !one.operation.startsWith("addLookedUp"))
      unless(effects[0] === by, `says ${by}, and the effect is at ${effects[0]}`)
    unless(by === "value" || attempts >= 1, "answered by a service without an attempt")
    unless(
      !one.operation.endsWith("Or") || (by === "crm") === (degraded === false),
      `served by ${by} with degraded ${JSON.stringify(degraded)}`,
    )
  }
  return broken
}

function receiversOf(random: Random, clock: VirtualClock): { all: Receiver[]; watch: Watching } {
  const held: { watch: Watching } = { watch: { sending: () => {}, ended: () => {} } }
  const watch: Watching = { sending: (name) => held.watch.sending(name), ended: (name) => held.watch.ended(name) }
  const trouble = [0.2, 0.6, 0.95][Math.floor(random.next() * 3)]!
  const all = ["crm", "eu"].map((name) => new Receiver(name, clock, random, { watch, trouble, refuses503: name === "eu" }))
  return Object.assign(held, { all })
}

interface Watching {
  sending(receiver: string): void
  ended(receiver: string): void
}

/** Gates as the application makes them, and what must hold on the wire whenever a request is sent. */
function gatesOf(services: Record<string, Service>, clock: VirtualClock, broken: string[]): { gates: Map<string, Gate>; watch: Watching } {
  const gates = new Map<string, Gate>()
  const flying = new Map<string, number>()
  const probes = new Map<string, number>()
  const caps = new Map<string, number>()
  for (const service of Object.values(services)) {
    const settings = serviceSettings(service.policy)
    caps.set(service.name, settings.concurrency)
    gates.set(
      service.name,
      createGate(service.name, settings, clock, () => probes.set(service.name, 0)),
    )
  }
  const watch: Watching = {
    sending(name) {
      const now = (flying.get(name) ?? 0) + 1
      flying.set(name, now)
      if (now > caps.get(name)!) broken.push(`${now} requests at once at ${name}, which takes ${caps.get(name)}`)
      const state = gates.get(name)!.breaker?.state
      if (state === "open") broken.push(`a request at ${clock.now()} to ${name}, whose circuit is open`)
      if (state !== "half-open") return
      probes.set(name, (probes.get(name) ?? 0) + 1)
      if (probes.get(name)! > 1) broken.push(`two probes at once at ${name}`)
    },
    ended(name) {
      flying.set(name, flying.get(name)! - 1)
      // A probe that says nothing of the service leaves the circuit half-open for the next one.
      if (gates.get(name)!.breaker?.state === "half-open") probes.set(name, 0)
    },
  }
  return { gates, watch }
}

async function openAll(
  services: Record<string, Service>,
  receivers: readonly Receiver[],
  clock: VirtualClock,
): Promise<Map<Service, Connection>> {
  const opened = new Map<Service, Connection>()
  for (const service of Object.values(services)) {
    const receiver = receivers.find(({ name }) => name === service.name)!
    const references = { read: () => `http://${service.name}.test` }
    opened.set(service, await service.open({ references, clock, concurrency: 1, isEphemeral: true, openTransport: () => receiver }))
  }
  return opened
}

function watchAttachments(): void {
  const { attach, detach, stop } = Call.prototype
  Call.prototype.attach = function (target) {
    if (!this.stopped && !(target instanceof PublicContext)) attached.set(this, (attached.get(this) ?? new Set()).add(target))
    attach.call(this, target)
  }
  Call.prototype.detach = function (target) {
    attached.get(this)?.delete(target)
    detach.call(this, target)
  }
  Call.prototype.stop = function (why) {
    attached.get(this)?.clear()
    stop.call(this, why)
  }
}
