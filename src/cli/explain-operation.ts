import { parseBytes } from "../base/bytes.ts"
import { parseDuration } from "../base/duration.ts"
import { pathOf } from "../base/source-excerpt.ts"
import type { SourcePlace } from "../base/source-place.ts"
import type { Backend } from "../contract/backend.ts"
import type { Operation } from "../contract/operation.ts"
import {
  attemptSettings,
  BODY_BYTES_MAX,
  callPolicies,
  type Defaults,
  type Policy,
  SHED_MS,
  servicePolicies,
  serviceSettings,
  sourceOf,
} from "../contract/policy.ts"
import type { BuiltInAccess } from "../contract/principal.ts"
import { keyKeptMs } from "../contract/repeatable.ts"
import { backoffCeilingMs } from "../policies/retry.ts"
import { rulesOf } from "../runtime/operations.ts"
import { type Prediction, predictions, type WorstCase, worstCase } from "./explain-predictions.ts"
import { ANSWERS, type Leaf, rehearse } from "./explain-rehearsal.ts"
import { type FlowFacts, flowFactsOf, type Runs, runsOf } from "./explain-work.ts"

/** Where a value was said. */
export interface From {
  readonly by: "call" | "service" | "defaults" | "operation" | "built in"
  /** `file:line`, where that is known. */
  readonly at: string | null
}

/** An effective value and where it comes from. */
export interface Effective<T> {
  readonly value: T
  readonly from: From
}

/** The policies of one call of a service, as they will be applied. Times in milliseconds. */
export interface EffectivePolicies {
  readonly timeout: Effective<number>
  readonly retries: Effective<number>
  /** The longest pause before each repeat. */
  readonly pauses: Effective<readonly number[]>
  /** When a second attempt is begun beside the first; null: never. */
  readonly hedge: Effective<number | null>
  readonly breaker: Effective<{ failures: number; of: number; slowMs: number | null; restMs: number; probes: number } | null>
  readonly concurrency: Effective<number>
  /** How few it may become; the same where the number is fixed. */
  readonly concurrencyMin: Effective<number>
  readonly queue: Effective<number>
}

/** A backend and what stands in it. */
export interface BackendNode {
  readonly kind: string
  readonly at: string | null
  readonly asks: string | null
  readonly service: { readonly name: string; readonly kind: string; readonly at: string | null } | null
  /** The leaf's number in the predictions; null for combinations, and for what answers without a service and cannot fail. */
  readonly leaf: number | null
  readonly repeatsUnknown: boolean | null
  /** Keeps answers of earlier calls; in a rehearsal there are none. */
  readonly keeps: boolean
  readonly policies: EffectivePolicies | null
  /** Of a flow. */
  readonly flow: FlowFacts | null
  readonly parts: readonly BackendNode[]
}

/** Everything that decides what becomes of an operation's calls. */
export interface Explanation {
  readonly operation: string
  readonly at: string | null
  readonly effect: "read" | "write"
  /** `GET /users/{id}` and `POST /rpc/users.get`; empty for an internal operation. */
  readonly entrances: readonly string[]
  /** What runs it beside its callers: messages, times. */
  readonly runs: Runs | null
  /** Who may call, in words; any one of them is enough. */
  readonly who: readonly string[]
  readonly deadline: Effective<number>
  /** What its callers may call again; `keptMs`: how long a key and its answer are remembered, `null` where there are no keys. */
  readonly repeat: { readonly value: "none" | "natural" | "key"; readonly keptMs: number | null }
  readonly bodyBytesMax: Effective<number>
  /** How long a turn of the event loop may take before calls are refused for the load; null: as long as it takes. */
  readonly shed: Effective<number | null>
  readonly placeholder: string | null
  readonly backend: BackendNode | null
  readonly predictions: readonly Prediction[]
  readonly worstCase: WorstCase
}

/** The application round an operation, and the time: for its schedule, and for what its flows may run. */
export interface Surroundings {
  readonly defaults: Defaults
  readonly operations: readonly Operation[]
  /** Milliseconds since 1970. */
  readonly epoch: number
}

export async function explanationOf(operation: Operation, around: Surroundings): Promise<Explanation> {
  const { defaults, epoch } = around
  const { path, route, effect, repeat, declaration, why, deadlineMs } = operation
  const { contract } = declaration
  const at = placeText(declaration.at)
  const deadlineFrom =
    contract.deadline !== undefined ? from("operation", at) : from(defaults.deadline === undefined ? "built in" : "defaults")
  return {
    operation: path,
    at,
    effect,
    entrances: route ? [`${route.verb} ${route.pattern}`, `POST /rpc/${path}`] : [],
    runs: runsOf(operation, epoch),
    who: whoMayCall(operation),
    deadline: { value: deadlineMs, from: deadlineFrom },
    repeat: { value: repeat, keptMs: repeat === "key" ? keyKeptMs(declaration) : null },
    bodyBytesMax: {
      value: parseBytes(defaults.bodyLimit) ?? BODY_BYTES_MAX,
      from: from(defaults.bodyLimit === undefined ? "built in" : "defaults"),
    },
    shed: {
      value: defaults.shed === false ? null : (parseDuration(defaults.shed) ?? SHED_MS),
      from: from(defaults.shed === undefined ? "built in" : "defaults"),
    },
    placeholder: why,
    backend: await backendTree(operation, around),
    predictions: await predictions(operation, defaults),
    worstCase: await worstCase(operation, defaults),
  }
}

function whoMayCall({ route, declaration: { contract } }: Operation): string[] {
  if (!route && contract.allow === undefined) return ["the application itself"]
  const rules = rulesOf(contract.allow).map((rule) => {
    if (typeof rule === "function") return "whom the rule in the contract lets in"
    const known = rule as BuiltInAccess
    if (known.kind === "anyone") return `anyone: ${known.reason}`
    if (known.kind === "role") return `role ${known.names.join(" or ")}`
    return known.kind === "can" ? `who may ${known.permission}` : "anybody signed in"
  })
  if (contract.owner) return [...rules, "and only the owner of the object"]
  return contract.anyObject === undefined ? rules : [...rules, `any object: ${contract.anyObject}`]
}

/** The backend tree with every effective value. */
async function backendTree(operation: Operation, around: Surroundings): Promise<BackendNode | null> {
  const { backend } = operation.declaration
  if (!backend) return null
  const { leaves } = await rehearse({ operation, defaults: around.defaults, behaviour: () => ANSWERS })
  return nodeOf(backend, leaves, { operation, ...around })
}

interface Around extends Surroundings {
  readonly operation: Operation
}

function nodeOf(backend: Backend<any, any, any>, leaves: readonly Leaf[], around: Around): BackendNode {
  const { kind, plan } = backend
  const leaf = leaves.findIndex((one) => one.backend === backend)
  const { service } = plan
  return {
    kind,
    at: placeText(plan.at ?? null),
    asks: plan.asks ?? null,
    service: service ? { name: service.name, kind: service.kind, at: placeText(service.at) } : null,
    leaf: leaf === -1 ? null : leaf,
    repeatsUnknown: leaf === -1 || !service ? null : leaves[leaf]!.mayRepeatUnknown,
    keeps: plan.keeps !== undefined,
    policies: service ? policiesOf(backend, around) : null,
    flow: flowFactsOf(backend, around.operation.effect, around.operations),
    parts: (plan.parts ?? []).map((part) => nodeOf(part, leaves, around)),
  }
}

function policiesOf({ plan }: Backend<any, any, any>, { operation, defaults }: Around): EffectivePolicies {
  const service = plan.service!
  const { effect } = operation
  const ofCall = callPolicies(effect, { call: plan.policy, service: service.policy }, defaults)
  const ofService = servicePolicies(service.policy, defaults)
  const attempts = attemptSettings(effect, ...ofCall)
  const shared = serviceSettings(...ofService)
  const places = { call: placeText(plan.at ?? operation.declaration.at), service: placeText(service.at) }
  const ofCallFrom = [from("call", places.call), from("service", places.service), from("defaults")]
  const ofServiceFrom = [from("service", places.service), from("defaults"), from("defaults")]
  const by = (field: keyof Policy, policies: typeof ofCall, places: readonly From[]): From =>
    places[sourceOf(field, policies)] ?? from("built in")
  const { breaker } = shared
  return {
    timeout: { value: attempts.timeoutMs, from: by("timeout", ofCall, ofCallFrom) },
    retries: { value: attempts.retries, from: by("retry", ofCall, ofCallFrom) },
    pauses: { value: pausesOf(attempts.retries, attempts.backoffMs), from: backoffFrom(ofCall, by("retry", ofCall, ofCallFrom)) },
    hedge: { value: attempts.hedgeMs, from: by("hedge", ofCall, ofCallFrom) },
    breaker: {
      value: breaker && { ...breaker, slowMs: Number.isFinite(breaker.slowMs) ? breaker.slowMs : null },
      from: by("breaker", ofService, ofServiceFrom),
    },
    concurrency: { value: shared.concurrency, from: by("concurrency", ofService, ofServiceFrom) },
    concurrencyMin: { value: shared.concurrencyMin, from: by("concurrency", ofService, ofServiceFrom) },
    queue: { value: shared.queueMax, from: by("queue", ofService, ofServiceFrom) },
  }
}

function from(by: From["by"], at: string | null = null): From {
  return { by, at }
}

/** A retry that is only a number leaves the pauses as they are built in. */
function backoffFrom(policies: readonly (Policy | undefined)[], retry: From): From {
  const decides = policies[sourceOf("retry", policies)]?.retry
  return typeof decides === "object" && decides.backoff !== undefined ? retry : from("built in")
}

function pausesOf(retries: number, backoffMs: number): number[] {
  return Array.from({ length: retries }, (_, i) => backoffCeilingMs(i + 1, backoffMs))
}

function placeText(place: SourcePlace | null): string | null {
  return place ? `${pathOf(place)}:${place.line}` : null
}
