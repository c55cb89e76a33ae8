import { systemClock } from "../base/clock.ts"
import { Redactor } from "../base/redact.ts"
import { pathOf } from "../base/source-excerpt.ts"
import type { Environment } from "../config/environment.ts"
import { needsOf, resolveReferences } from "../config/references.ts"
import type { DiagnosisHost, Step, Trouble } from "../contract/diagnosis.ts"
import type { Finding } from "../contract/finding.ts"
import type { Reference, References } from "../contract/reference.ts"
import type { Service } from "../contract/service.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { correctionOf, originOf } from "./doctor-variables.ts"
import { EXIT, type ExitCode } from "./exit.ts"
import { type CliFindingCode, cliFinding } from "./findings.ts"

/** One service after a look at it. */
export interface Examined {
  readonly service: string
  readonly kind: string
  /** `file:line` of its declaration. */
  readonly at: string | null
  /** Host and path, or what stands in its place. */
  readonly address: string
  readonly state: "ok" | "warning" | "failed"
  /** In the order of a request; after the first that failed, nothing more was looked at. */
  readonly steps: readonly Step[]
  /** Median of the probes. */
  readonly latencyMs: number | null
  readonly findings: readonly Finding[]
  readonly exit: ExitCode
}

export interface Practice {
  /** All of the application: a variable that another one needs is no slip of this one's. */
  readonly services: readonly Service[]
  readonly environment: Environment
  readonly timeoutMs: number
}

const KINDS: Readonly<Record<Trouble, { readonly code: CliFindingCode; readonly exit: ExitCode }>> = {
  unreachable: { code: "TRS3015", exit: EXIT.unreachable },
  untrusted: { code: "TRS3016", exit: EXIT.unreachable },
  refused: { code: "TRS3017", exit: EXIT.refused },
  unwell: { code: "TRS3018", exit: EXIT.found },
}

/** Looks at one service; what is wrong with it says nothing of the others. Never throws for what a service does. */
export async function examine(service: Service, practice: Practice): Promise<Examined> {
  const { environment } = practice
  // What comes back from the other side may repeat what was sent.
  const redactor = new Redactor()
  const { references, findings } = resolveReferences(needsOf(service), apartFrom(service, practice), redactor)
  const step = referenceStep(service, environment, findings)
  const looked = step.state === "failed" ? [] : await look(service, references, practice)
  const steps = [step, ...looked].map((one) => masked(one, redactor))
  const troubles = steps.flatMap((one) => (one.trouble ? [findingOf(service, one)] : []))
  const isFailed = steps.some(({ state }) => state === "failed")
  return {
    service: service.name,
    kind: service.kind,
    at: service.at && `${pathOf(service.at)}:${service.at.line}`,
    address: addressOf(service, references, { environment, steps }),
    state: isFailed ? "failed" : steps.some(({ state }) => state === "warning") ? "warning" : "ok",
    steps,
    latencyMs: steps.find(({ name }) => name === "latency")?.ms ?? null,
    findings: [...findings, ...troubles],
    exit: exitOf(findings, steps),
  }
}

function exitOf(findings: readonly Finding[], steps: readonly Step[]): ExitCode {
  if (findings.some(({ severity }) => severity === "error")) return EXIT.noLoad
  const failed = steps.find(({ state }) => state === "failed")
  if (failed?.trouble) return KINDS[failed.trouble.kind].exit
  return findings.length > 0 || steps.some(({ state }) => state === "warning") ? EXIT.found : EXIT.ok
}

function apartFrom(service: Service, { services, environment }: Practice): Environment {
  const others = new Set(services.filter((one) => one !== service).flatMap(({ references }) => references.map(({ ref }) => ref)))
  return { ...environment, names: () => environment.names().filter((name) => !others.has(name)) }
}

function referenceStep(service: Service, environment: Environment, findings: readonly Finding[]): Step {
  const found = (service.references as readonly Reference[]).map((reference) => originOf(reference, environment))
  const seen = found.length === 0 ? "needs none" : found.join("; ")
  const [first] = findings
  if (!first) return { name: "variables", state: "ok", seen }
  const state = findings.some(({ severity }) => severity === "error") ? "failed" : "warning"
  return { name: "variables", state, seen }
}

async function look(service: Service, references: References, { environment, timeoutMs }: Practice): Promise<readonly Step[]> {
  const host: DiagnosisHost = {
    references,
    clock: systemClock,
    concurrency: 1,
    openTransport: null,
    isEphemeral: false,
    timeoutMs,
    origin: (reference) => originOf(reference, environment),
    correction: (reference) => correctionOf(reference, environment),
  }
  try {
    return await (service.diagnose ? service.diagnose(host) : probe(service, host))
  } catch (error) {
    const message = `it cannot be opened: ${TrestleError.is(error) ? (error.note ?? error.detail) : (error as Error).message}`
    return [
      { name: "open", state: "failed", seen: "failed", trouble: { kind: "unwell", message, fix: "Correct it where it is declared." } },
    ]
  }
}

/** For connectors that cannot say more. */
async function probe(service: Service, host: DiagnosisHost): Promise<Step[]> {
  const connection = await service.open(host)
  try {
    if (!connection.probe) return [{ name: "probe", state: "unsure", seen: "this kind of service has no probe" }]
    const startedAt = host.clock.now()
    await connection.probe()
    return [{ name: "probe", state: "ok", seen: "answers", ms: host.clock.now() - startedAt }]
  } catch (error) {
    const message = TrestleError.is(error) ? (error.note ?? error.detail) : (error as Error).message
    return [
      {
        name: "probe",
        state: "failed",
        seen: "no answer",
        trouble: { kind: "unreachable", message, fix: "Look into the service's own log." },
      },
    ]
  } finally {
    await connection.close()
  }
}

function masked(step: Step, redactor: Redactor): Step {
  const { trouble } = step
  const seen = redactor.text(step.seen)
  return trouble ? { ...step, seen, trouble: { ...trouble, message: redactor.text(trouble.message) } } : { ...step, seen }
}

function findingOf(service: Service, { state, trouble }: Step): Finding {
  const { kind, message, fix } = trouble!
  return cliFinding(KINDS[kind].code, `${service.name}: ${message}`, fix, {
    severity: state === "failed" ? "error" : "warning",
    place: service.at,
  })
}

/** Host and path, or a file; the variable's name where its value is missing, or is no address and may be anything. Shows no credential. */
function addressOf(
  { address }: Service,
  references: References,
  { environment, steps }: { readonly environment: Environment; readonly steps: readonly Step[] },
): string {
  if (address === undefined || typeof address === "string") return hostAndPath(address ?? "") ?? address ?? ""
  const isUnset = !environment.get(address.ref)?.value && (address as Reference).fallback === undefined
  const isFailed = (name: string): boolean => steps.some((step) => step.name === name && step.state === "failed")
  if (isUnset || isFailed("address")) return address.ref
  const text = references.read(address)
  // Another variable is missing: nobody has looked at this one yet, so what is no URL is not shown.
  return hostAndPath(text) ?? (isFailed("variables") ? "" : text)
}

function hostAndPath(text: string): string | null {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null
  return url && `${url.host}${url.pathname.replace(/\/$/, "")}`
}
