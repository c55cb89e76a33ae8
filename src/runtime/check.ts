import { parseBytes } from "../base/bytes.ts"
import { systemClock } from "../base/clock.ts"
import { parseDuration, showDuration } from "../base/duration.ts"
import type { Backend } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { Declaration } from "../contract/op.ts"
import type { Operation } from "../contract/operation.ts"
import { attemptSettings, callPolicies, type Defaults, policyMistakes } from "../contract/policy.ts"
import { type JsonSchema, nothing, targetOf, typesOf } from "../contract/schema.ts"
import type { Service } from "../contract/service.ts"
import { COMMON } from "../errors/catalog.ts"
import { checkBodies } from "./check-bodies.ts"
import { checkKept } from "./check-kept.ts"
import { checkMappings } from "./check-mappings.ts"
import { finding } from "./findings.ts"
import { collectOperations, type Named, reading, readOperation, readRoute, rulesOf } from "./operations.ts"
import { checkFormerPaths, checkRetiring } from "./retiring.ts"

export interface Checked {
  readonly operations: readonly Operation[]
  readonly named: readonly Named[]
  readonly findings: readonly Finding[]
}

/** Addresses that belong to Trestle. */
const OWN_PATHS = /^\/(rpc|docs|openapi\.json|health|_trestle)(\/|$)/

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
  checkBackend(operation, findings)
  checkMappings(operation, one.declaration.backend ? within(one.declaration.backend) : [], findings)
  checkKept(operation, findings)
  checkBodies(operation, one.declaration.backend ? within(one.declaration.backend) : [], findings)
  checkTime(operation, defaults, findings)
  checkSamples(operation, findings)
  return operation
}

function checkDefaults(defaults: Defaults, findings: Finding[]): void {
  const mistakes = [
    ...policyMistakes(defaults.reads ?? {}).map((mistake) => `reads: ${mistake}`),
    ...policyMistakes(defaults.writes ?? {}).map((mistake) => `writes: ${mistake}`),
  ]
  if (defaults.deadline !== undefined && parseDuration(defaults.deadline) === null)
    mistakes.push('deadline is not a duration such as "10s"')
  if (defaults.bodyLimit !== undefined && parseBytes(defaults.bodyLimit) === null) mistakes.push('bodyLimit is not a size such as "256kb"')
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
    const fix = "Choose another first segment than rpc, docs, openapi.json, health, _trestle."
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

function checkContract({ path, declaration }: Named, findings: Finding[]): void {
  const { contract, at, backend } = declaration
  if (contract.http !== undefined && rulesOf(contract.allow).length === 0) {
    findings.push(
      finding(
        "TRS1002",
        at,
        `${path} has an http entrance and nobody may call it`,
        'allow: role("recruiter"),   or, for everybody:   allow: anyone("public careers page"),',
      ),
    )
  }
  if (contract.http === undefined && contract.effect === undefined) {
    findings.push(finding("TRS1006", at, `${path} does not say whether it changes anything`, 'effect: "read",   or   effect: "write",'))
  }
  if (backend === null && !contract.examples?.length) {
    findings.push(
      finding(
        "TRS1016",
        at,
        `${path} has no backend and no examples`,
        '.via(placeholder({ ... }, "waiting for ..."))   or   examples: [{ input: { ... }, output: { ... } }],',
      ),
    )
  }
  if (contract.deadline !== undefined && parseDuration(contract.deadline) === null) {
    findings.push(finding("TRS1012", at, `${path}: deadline is not a duration`, 'deadline: "3s",'))
  }
  if (contract.status !== undefined) checkStatus(path, contract, at, findings)
  for (const [code, status] of Object.entries(contract.errors ?? {})) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(code))
      findings.push(finding("TRS1012", at, `${path}: error code "${code}" is not in capitals`, "errors: { EMAIL_TAKEN: 409 },"))
    if (Object.hasOwn(COMMON, code))
      findings.push(
        finding(
          "TRS1012",
          at,
          `${path}: ${code} is a common code, which every operation may answer with`,
          "Remove it from `errors`, or choose a name of your own.",
        ),
      )
    if (!(Number.isInteger(status) && status >= 400 && status <= 499))
      findings.push(finding("TRS1012", at, `${path}: ${code}: ${status} is not a status from 400 to 499`, `errors: { ${code}: 409 },`))
  }
}

function checkStatus(path: string, contract: Declaration["contract"], at: Declaration["at"], findings: Finding[]): void {
  const { status } = contract
  const isSuccess = Number.isInteger(status) && status! >= 200 && status! <= 299
  const isEmpty = status === 204 || status === 205
  if (!isSuccess) findings.push(finding("TRS1012", at, `${path}: ${status} is not a status of success`, "status: 202,"))
  else if (contract.output === nothing && status !== 204)
    findings.push(
      finding("TRS1012", at, `${path}: an answer of nothing has status 204, not ${status}`, "Remove `status`, or declare an output."),
    )
  else if (contract.output !== nothing && isEmpty)
    findings.push(
      finding("TRS1012", at, `${path}: an answer with status ${status} has no body`, "Remove `status`, or write `output: nothing`."),
    )
}

function checkOwner({ path, declaration }: Named, named: readonly Named[], findings: Finding[]): void {
  const { owner } = declaration.contract
  if (owner && !named.some(({ op }) => op === owner.load)) {
    findings.push(
      finding(
        "TRS1017",
        declaration.at,
        `${path}: the operation in owner.load is not in \`ops\``,
        "ops: { ..., inside: { getUser } }: without `http` it stays internal.",
      ),
    )
  }
}

/** `id`, `userId`, `user_id`, `ids`: a field whose value picks one of somebody's objects. */
const OBJECT_NAME = /^(?:id|ids|uuid|guid)$|(?:Id|Ids|ID|_id|_ids|Uuid|_uuid)$/

function checkInput(operation: Operation, findings: Finding[]): void {
  const { path, route, input, declaration } = operation
  if (!route) return
  const { contract, at } = declaration
  const fields = Object.keys(input.json.properties ?? {})
  const isObject =
    input.json.type === "object" || input.json.properties !== undefined || (input.json.anyOf ?? input.json.oneOf) !== undefined
  if (!isObject && contract.input !== nothing && (route.params.length > 0 || route.verb === "GET" || route.verb === "DELETE")) {
    findings.push(
      finding(
        "TRS1015",
        at,
        `${path}: the input of ${route.verb} ${route.pattern} is not an object`,
        `input: z.object({ ${route.params.map((name) => `${name}: z.string()`).join(", ")} }),`,
      ),
    )
    return
  }
  if (route.verb === "GET" || route.verb === "DELETE") {
    const deep = fieldsOf(input.json, input.json).filter(([, schema]) => isDeep(schema, input.json))
    for (const [name] of deep)
      findings.push(
        finding(
          "TRS1015",
          at,
          `${path}: the field ${name} holds objects, which ${route.verb} ${route.pattern} cannot carry in its path and query`,
          `http: "POST ${route.pattern}", or single fields instead of ${name}: z.object({ ... })`,
        ),
      )
  }
  for (const name of route.params) {
    if (!fieldsWithin(input.json).has(name))
      findings.push(
        finding(
          "TRS1004",
          at,
          `${path}: {${name}} in ${route.pattern} is not a field of the input`,
          `input: z.object({ ${name}: z.string(), ... }),`,
        ),
      )
  }
  const naming = fields.filter((name) => OBJECT_NAME.test(name) || route.params.includes(name))
  if (naming.length > 0 && !contract.owner && contract.anyObject === undefined) {
    const fix = `owner: { load: getIt, is: (row, who) => row.id === who.id },   or the reason why any will do:   anyObject: "recruiters see everybody",`
    findings.push(
      finding("TRS1005", at, `${path}: the input names an object (${naming.join(", ")}) and nothing says whose it must be`, fix),
    )
  }
}

/** The schema and all that hold with it or instead of it. */
function partsOf(schema: JsonSchema, root: JsonSchema, seen = new Set<JsonSchema>()): JsonSchema[] {
  if (typeof schema !== "object" || seen.has(schema)) return []
  seen.add(schema)
  const more = [...targetOf(schema, root), ...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  return [schema, ...more.flatMap((part) => partsOf(part, root, seen))]
}

function fieldsOf(schema: JsonSchema, root: JsonSchema): [string, JsonSchema][] {
  return [...new Map(partsOf(schema, root).flatMap((part) => Object.entries(part.properties ?? {})))]
}

/** Some value of it is an object, or a list of what is no plain value. */
function isDeep(schema: JsonSchema, root: JsonSchema): boolean {
  const isOf = (part: JsonSchema, types: readonly string[]): boolean =>
    typesOf(part).some((type) => types.includes(type)) || part.properties !== undefined
  return partsOf(schema, root).some((part) => {
    const items = [...(part.prefixItems ?? []), ...(typeof part.items === "object" ? [part.items] : [])]
    return isOf(part, ["object"]) || items.some((item) => partsOf(item, root).some((inner) => isOf(inner, ["object", "array"])))
  })
}

/** Properties of an object schema, those of its alternatives included. */
function fieldsWithin(json: Operation["input"]["json"]): Set<string> {
  const parts = [...(json.anyOf ?? []), ...(json.oneOf ?? []), ...(json.allOf ?? [])]
  return new Set([...Object.keys(json.properties ?? {}), ...parts.flatMap((part) => [...fieldsWithin(part)])])
}

function checkBackend(operation: Operation, findings: Finding[]): void {
  const { backend, at } = operation.declaration
  if (!backend) return
  for (const one of within(backend)) {
    for (const mistake of one.plan.mistakes ?? [])
      findings.push(finding("TRS1014", at, `${operation.path}: ${one.kind}: ${mistake}`, "Correct the call where it is declared."))
    if (operation.effect !== "write") continue
    if (one.plan.isForReadsOnly)
      findings.push(
        finding(
          "TRS1009",
          at,
          `${operation.path} is a write and answers with ${one.kind}()`,
          `Remove ${one.kind}(); a write may fall back to a service declared replicaOf the first. If it changes nothing, say so: effect: "read",`,
        ),
      )
    if (one.plan.fallsBack) checkReplicas(operation, one, findings)
  }
}

function checkReplicas(operation: Operation, fallback: Backend<any, any, any>, findings: Finding[]): void {
  const [first, ...others] = fallback.plan.parts ?? []
  const primary = first?.plan.service
  for (const other of others) {
    const service = other.plan.service
    const isReplica = primary !== undefined && service !== undefined && (service.replicaOf === primary || service === primary)
    if (isReplica || other.plan.isForReadsOnly) continue
    const name = service ? service.name : `${other.kind}()`
    const fix =
      service && primary
        ? `${service.kind}({ url: ..., replicaOf: ${primary.name} })   if it holds the same records under the same ids; otherwise remove it.`
        : "Remove it: a failed write is answered with its error, which says whether it may have happened."
    findings.push(
      finding(
        "TRS1010",
        operation.declaration.at,
        `${operation.path} is a write and falls back to ${name}, which is no replica of ${primary?.name ?? `${first?.kind}()`}`,
        fix,
      ),
    )
  }
}

/** Reads only: a write falls back after what was refused, which is quick, and never after what hung. */
function checkTime(operation: Operation, defaults: Defaults, findings: Finding[]): void {
  const { backend, at } = operation.declaration
  if (!backend || operation.effect === "write") return
  const worstOf = ({ plan }: Backend<any, any, any>): number => {
    if (plan.fallsBack) return (plan.parts ?? []).reduce((sum, part) => sum + worstOf(part), 0)
    if (!plan.service) return Math.max(0, ...(plan.parts ?? []).map(worstOf))
    const declared = { call: plan.policy, service: plan.service.policy }
    const { timeoutMs, retries } = attemptSettings("read", ...callPolicies("read", declared, defaults))
    return timeoutMs * (retries + 1)
  }
  for (const { plan } of within(backend)) {
    const parts = plan.fallsBack ? (plan.parts ?? []) : []
    let worstMs = 0
    for (const [i, part] of parts.entries()) {
      if (i > 0 && worstMs >= operation.deadlineMs) {
        const late = part.plan.service?.name ?? `${part.kind}()`
        const message = `${operation.path}: what stands before ${late} may take ${showDuration(worstMs)} (attempts × timeout), its whole deadline of ${showDuration(operation.deadlineMs)}`
        const fix =
          'policy: { timeout: "800ms", retry: 1 } for what stands before it, or a longer deadline for the operation: deadline: "20s",'
        findings.push(finding("TRS1018", at, message, fix))
        break
      }
      worstMs += worstOf(part)
    }
  }
}

/** Placeholders, values and examples against the contract they stand in. Asynchronous schemas can only be checked in the call. */
function checkSamples(operation: Operation, findings: Finding[]): void {
  const { contract, backend, at } = operation.declaration
  const examples = contract.examples ?? []
  const complain = (what: string, check: ReturnType<Operation["output"]["check"]>): void => {
    if (check instanceof Promise) return ignored(check)
    if (!("issues" in check)) return
    const issues = check.issues.map(({ path, message }) => `${path || "the whole"}: ${message}`).join("; ")
    findings.push(
      finding("TRS1008", at, `${operation.path}: ${what} does not fit its own contract: ${issues}`, "Correct the answer, or the schema."),
    )
  }
  const complainOfItems = (what: string, items: unknown): void => {
    const { items: item } = operation.output
    if (!item || !Array.isArray(items)) return
    for (const [i, one] of items.entries()) complain(`item ${i} in ${what}`, item.check(one))
  }
  examples.forEach((example, i) => {
    complain(`the input of example ${i + 1}`, operation.input.check(example.input))
    complain(`the output of example ${i + 1}`, operation.output.check(example.output))
    complainOfItems(`the output of example ${i + 1}`, example.output)
  })
  if (contract.verify) complain("the input of verify", operation.input.check(contract.verify.input))
  if (!backend) return
  for (const { kind, plan } of within(backend)) {
    for (const sample of plan.samples ?? []) {
      complain(`the answer of ${kind}()`, operation.output.check(sample))
      complainOfItems(`the answer of ${kind}()`, sample)
    }
    const { sampleFor } = plan
    if (!sampleFor) continue
    examples.forEach((example, i) => {
      complain(`the answer of ${kind}() for example ${i + 1}`, sampled(sampleFor, example.input, operation))
    })
  }
}

/** A rejection that nobody awaits would end the process. */
function ignored(promise: Promise<unknown>): void {
  promise.catch(() => undefined)
}

function sampled(sampleFor: (input: unknown) => unknown, input: unknown, operation: Operation): ReturnType<Operation["output"]["check"]> {
  const checked = operation.input.check(input)
  if (checked instanceof Promise) ignored(checked)
  if (checked instanceof Promise || "issues" in checked) return { value: undefined }
  try {
    return operation.output.check(sampleFor(checked.value))
  } catch (error) {
    return { issues: [{ path: "", message: `it threw: ${(error as Error).message}` }] }
  }
}

function checkServices(operations: readonly Operation[], findings: Finding[]): void {
  for (const service of servicesOf(operations)) {
    for (const mistake of service.mistakes)
      findings.push(finding("TRS1014", service.at, `${service.name}: ${mistake}`, "Correct the service where it is declared."))
  }
}

/** A backend and everything inside it. */
export function within(backend: Backend<any, any, any>): Backend<any, any, any>[] {
  return [backend, ...(backend.plan.parts ?? []).flatMap(within)]
}

/** Every service that some operation can reach, each once, in the order of their first use. */
export function servicesOf(operations: readonly Operation[]): readonly Service[] {
  const services = new Set<Service>()
  for (const { declaration } of operations) {
    for (const { plan } of declaration.backend ? within(declaration.backend) : []) if (plan.service) services.add(plan.service)
  }
  return [...services]
}
