import { parseBytes } from "../base/bytes.ts"
import { systemClock } from "../base/clock.ts"
import { parseDuration, whyNoDuration } from "../base/duration.ts"
import { deadlineFieldMistakes } from "../contract/deadline-field.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { type Defaults, policyMistakes, SHED_MS_MIN } from "../contract/policy.ts"
import { checkBackend, checkTime, isHedged } from "./check-backend.ts"
import { checkBodies } from "./check-bodies.ts"
import { checkContract, checkOwner } from "./check-contract.ts"
import { checkFlows } from "./check-flows.ts"
import { checkInput } from "./check-input.ts"
import { checkKept } from "./check-kept.ts"
import { checkKeptWork, checkTopics } from "./check-kept-work.ts"
import { checkKeys } from "./check-keys.ts"
import { checkMappings } from "./check-mappings.ts"
import { checkSamples } from "./check-samples.ts"
import { finding } from "./findings.ts"
import { collectOperations, type Named, reading, readOperation, readRoute } from "./operations.ts"
import { checkFormerPaths, checkRetiring } from "./retiring.ts"
import { servicesOf, within } from "./within.ts"

export interface Checked {
  readonly operations: readonly Operation[]
  readonly named: readonly Named[]
  readonly findings: readonly Finding[]
}

/** Addresses that belong to Trestle. */
const OWN_PATHS = /^\/(rpc|docs|openapi\.json|health|work|_trestle)(\/|$)/

/** Everything wrong with the declarations, all at once. Resolves no reference, opens nothing, never throws. */
export function checkDeclarations(ops: unknown, defaults: Defaults, epoch: number = systemClock.epoch()): Checked {
  const findings: Finding[] = []
  const named = collectOperations(ops, findings)
  unlessUnreadable("defaults", null, findings, () => checkDefaults(defaults, findings))
  checkPaths(named, findings)
  checkRoutes(named, findings)
  unlessUnreadable("was", null, findings, () => checkFormerPaths(named, findings))
  const operations: Operation[] = []
  for (const one of named) {
    unlessUnreadable(one.path, one, findings, () => {
      const operation = checkOperation(one, named, defaults, findings)
      if (operation) operations.push(operation)
    })
  }
  unlessUnreadable("deprecated", null, findings, () => checkRetiring(operations, epoch, findings))
  unlessUnreadable("topics", null, findings, () => checkTopics(operations, findings))
  unlessUnreadable("services", null, findings, () => checkServices(operations, findings))
  return { operations, named, findings }
}

/** A declaration put together by hand can be anything; what cannot even be looked at is a finding like any other mistake. */
function unlessUnreadable(path: string, one: Named | null, findings: Finding[], check: () => void): void {
  const read = reading(check)
  if (!("why" in read)) return
  const at = one ? reading(() => one.declaration.at) : { value: null }
  const place = "value" in at ? at.value : null
  findings.push(finding("TRS1013", place, `${path} cannot be read: ${read.why}`, "Declare it with op({ ... }).via(...)."))
}

function checkOperation(one: Named, named: readonly Named[], defaults: Defaults, findings: Finding[]): Operation | null {
  const operation = readOperation(one, defaults, findings)
  checkContract(one, findings)
  checkOwner(one, named, findings)
  if (!operation) return null
  checkInput(operation, findings)
  const parts = one.declaration.backend ? within(one.declaration.backend) : []
  checkBackend(operation, parts, findings)
  checkMappings(operation, parts, findings)
  checkKept(operation, findings)
  checkKeptWork(operation, findings)
  checkKeys(operation, findings)
  checkFlows(operation, parts, named, findings)
  checkBodies(operation, parts, findings)
  checkTime(operation, { parts, defaults }, findings)
  checkSamples(operation, parts, findings)
  return operation
}

function checkDefaults(defaults: Defaults, findings: Finding[]): void {
  const mistakes = [
    ...policyMistakes(defaults.reads ?? {}).map((mistake) => `reads: ${mistake}`),
    ...policyMistakes(defaults.writes ?? {}).map((mistake) => `writes: ${mistake}`),
  ]
  if (defaults.deadline !== undefined && parseDuration(defaults.deadline) === null)
    mistakes.push(`deadline ${whyNoDuration(defaults.deadline, "10s")}`)
  mistakes.push(...deadlineFieldMistakes(defaults.callerDeadline).map((mistake) => `callerDeadline: ${mistake}`))
  if (defaults.bodyLimit !== undefined && parseBytes(defaults.bodyLimit) === null) mistakes.push('bodyLimit is not a size such as "256kb"')
  if (defaults.shed !== undefined && defaults.shed !== false && (parseDuration(defaults.shed) ?? 0) < SHED_MS_MIN)
    mistakes.push(`shed is not a duration of at least ${SHED_MS_MIN}ms`)
  if (isHedged(defaults.writes))
    findings.push(finding("TRS1040", null, "defaults: writes are hedged", 'defaults: { reads: { hedge: "200ms" } }'))
  for (const mistake of mistakes)
    findings.push(
      finding("TRS1012", null, `defaults: ${mistake}`, 'defaults: { reads: { timeout: "2s" }, deadline: "10s", bodyLimit: "256kb" }'),
    )
}

function checkPaths(named: readonly Named[], findings: Finding[]): void {
  const seen = new Map<unknown, string>()
  for (const one of named) {
    const { path, op, declaration } = one
    const earlier = seen.get(op)
    if (earlier === undefined) seen.set(op, path)
    else
      unlessUnreadable(path, one, findings, () => {
        const fix = `Keep one of the two paths: ops: { ... } without "${path}".`
        findings.push(finding("TRS1003", declaration.at, `${path} is the same operation as ${earlier}`, fix))
      })
  }
}

function checkRoutes(named: readonly Named[], findings: Finding[]): void {
  const seen = new Map<string, Named>()
  for (const one of named) unlessUnreadable(one.path, one, findings, () => checkRoute(one, seen, findings))
}

function checkRoute(one: Named, seen: Map<string, Named>, findings: Finding[]): void {
  const { path, declaration } = one
  const { http } = declaration.contract
  if (http === undefined) return
  const route = readRoute(http)
  if (!route) {
    const fix = 'http: "GET /users/{id}": a parameter fills a whole segment, and each name occurs once.'
    findings.push(finding("TRS1011", declaration.at, `${path}: "${http}" is not a method and a path`, fix))
    return
  }
  if (OWN_PATHS.test(route.pattern)) {
    const fix = "Choose another first segment than rpc, docs, openapi.json, health, work, _trestle."
    findings.push(finding("TRS1011", declaration.at, `${path}: ${route.pattern} is one of Trestle's own addresses`, fix))
  }
  const key = `${route.verb} ${route.pattern.replace(/\{\w+\}/g, "{}")}`
  const earlier = seen.get(key)
  if (!earlier) seen.set(key, one)
  else if (earlier.op !== one.op) {
    const where = earlier.declaration.at ? ` (${earlier.declaration.at.file}:${earlier.declaration.at.line})` : ""
    const message = `${path} and ${earlier.path}${where} are both at ${route.verb} ${route.pattern}`
    const fix = "Give one of them another path or another verb, or remove `http` from the one that is internal."
    findings.push(finding("TRS1001", declaration.at, message, fix))
  }
}

function checkServices(operations: readonly Operation[], findings: Finding[]): void {
  for (const service of servicesOf(operations)) {
    for (const mistake of service.mistakes)
      findings.push(finding("TRS1014", service.at, `${service.name}: ${mistake}`, "Correct the service where it is declared."))
  }
}
