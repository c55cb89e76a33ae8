import { showMs } from "../../base/duration.ts"
import type { DiagnosisHost, Step } from "../../contract/diagnosis.ts"
import type { WireReply } from "../../contract/ports.ts"
import { isReference, type Reference } from "../../contract/reference.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { type Address, dnsStep, type Looking, tcpStep, tlsStep } from "../network-steps.ts"
import { openRest, type RestConnection, type RestSettings } from "./connection.ts"

/** Enough for a middle that one slow answer does not move. */
const PROBES = 5

/** A probe's answer, and how long it took. */
interface Probed {
  readonly reply: WireReply
  readonly ms: number
}

/** Name, connection, certificate, credential, version and latency of a REST service, each on its own. Asks only its health probe. */
export async function diagnoseRest(settings: RestSettings, host: DiagnosisHost): Promise<readonly Step[]> {
  const text = host.references.read(settings.url)
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return [notAnAddress(settings, host)]
  const isSecure = url.protocol === "https:"
  const address: Address = { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || (isSecure ? 443 : 80) }
  const looking: Looking = { clock: host.clock, timeoutMs: host.timeoutMs, correction: addressCorrection(settings, host) }
  const steps: Step[] = []
  for (const look of [dnsStep, tcpStep, ...(isSecure ? [tlsStep] : [])]) {
    if (steps.at(-1)?.state !== "failed") steps.push(await look(address, looking))
  }
  if (steps.at(-1)?.state !== "failed") steps.push(...(await probeSteps(settings, host)))
  return [...steps, ...notReached(steps, isSecure)]
}

/** After a failure: how much further a request would have had to come. */
function notReached(steps: readonly Step[], isSecure: boolean): Step[] {
  if (steps.at(-1)?.state !== "failed") return []
  const all = ["dns", "tcp", ...(isSecure ? ["tls"] : []), "authentication", "version", "latency"]
  return all.slice(steps.length).map((name) => ({ name, state: "not reached", seen: "" }))
}

function notAnAddress(settings: RestSettings, host: DiagnosisHost): Step {
  const message = "its address is no http or https URL"
  return { name: "address", state: "failed", seen: "no URL", trouble: { kind: "unwell", message, fix: addressCorrection(settings, host) } }
}

function addressCorrection({ url }: RestSettings, { correction }: DiagnosisHost): string {
  return isReference(url) ? correction(url) : "url: where the service is declared"
}

async function probeSteps(settings: RestSettings, host: DiagnosisHost): Promise<Step[]> {
  const { health } = settings
  if (!health) return [{ name: "authentication", state: "unsure", seen: 'not looked at: declare a probe, health: "GET /ping"' }]
  const connection = await openRest(settings, host)
  try {
    const first = await probed(connection, settings, host)
    if (!("reply" in first)) return [first]
    const credential = await credentialStep(first, connection, settings, host)
    if (credential.state === "failed") return [credential]
    return [credential, versionStep(first.reply), await latencyStep(first, connection, settings, host)]
  } finally {
    await connection.close()
  }
}

async function probed(connection: RestConnection, settings: RestSettings, host: DiagnosisHost): Promise<Probed | Step> {
  const { health } = settings
  const { clock, timeoutMs } = host
  const startedAt = clock.now()
  try {
    const reply = await connection.ask(health!, { timeoutMs })
    return { reply, ms: clock.now() - startedAt }
  } catch (error) {
    const note = TrestleError.is(error) ? error.note : String(error)
    const message = `${targetOf(health!)} gets no answer: ${note}`
    const address = URL.parse(host.references.read(settings.url))!
    const scheme =
      address.protocol === "http:" ? `   If it speaks TLS, its address begins with https: ${addressCorrection(settings, host)}` : ""
    const fix = `Look into the service's own log; ask it by hand: curl -i ${address.origin}${connection.prefix}${health!.path}${scheme}`
    return { name: "authentication", state: "failed", seen: "no answer", trouble: { kind: "unreachable", message, fix } }
  }
}

function targetOf({ method, path }: NonNullable<RestSettings["health"]>): string {
  return `${method} ${path}`
}

async function credentialStep(first: Probed, connection: RestConnection, settings: RestSettings, host: DiagnosisHost): Promise<Step> {
  const { auth, health } = settings
  const { status } = first.reply
  const asked = `${status} to ${targetOf(health!)}`
  const name = "authentication"
  if (status === 401 || status === 403)
    return { name, state: "failed", seen: asked, ms: first.ms, trouble: rejection(status, settings, host) }
  if (status >= 300) return { name, state: "failed", seen: asked, ms: first.ms, trouble: unwell(status, settings) }
  if (!auth) return { name, state: "ok", seen: `${asked}; no credential is declared`, ms: first.ms }
  const stranger = await connection.ask(health!, { timeoutMs: host.timeoutMs, isStranger: true }).catch(() => null)
  if (stranger !== null && stranger.status < 300)
    return {
      name,
      state: "unsure",
      seen: `${asked}, and to strangers too, so it says nothing of the ${auth.kind} credential`,
      ms: first.ms,
    }
  return { name, state: "ok", seen: `${asked} with the ${auth.kind} credential`, ms: first.ms }
}

function rejection(status: number, { auth }: RestSettings, { origin, correction }: DiagnosisHost): NonNullable<Step["trouble"]> {
  const references = (auth?.references ?? []) as readonly Reference[]
  const origins = references.map(origin).join("; ")
  if (!auth)
    return {
      kind: "refused",
      message: `${status}: it wants a credential, and none is declared`,
      fix: 'auth: bearer(secret("SERVICE_TOKEN"))',
    }
  return {
    kind: "refused",
    message: status === 401 ? `${auth.kind} credential rejected; ${origins}` : `the ${auth.kind} credential may not do this; ${origins}`,
    fix:
      status === 401
        ? `Put the valid one in its place: ${references.map(correction).join("   ")}`
        : `Have whoever runs the service give it the right, or take another one: ${references.map(correction).join("   ")}`,
  }
}

function unwell(status: number, { health }: RestSettings): NonNullable<Step["trouble"]> {
  const target = targetOf(health!)
  if (status === 404 || status === 405)
    return {
      kind: "unwell",
      message: `${status}: there is no ${target} at this service`,
      fix: 'Correct the probe, or the path in the address: health: "GET /..."',
    }
  if (status < 400) return { kind: "unwell", message: `${status}: ${target} leads elsewhere`, fix: "Use the address that it leads to." }
  if (status < 500)
    return { kind: "unwell", message: `${status}: it does not accept ${target}`, fix: 'Correct the probe: health: "GET /..."' }
  return { kind: "unreachable", message: `${status}: it says itself that it is not well`, fix: "Look into the service's own log." }
}

/** What the service says of itself; many say nothing, which is no mistake. */
function versionStep({ headers }: WireReply): Step {
  const said = [headers.server, headers["x-powered-by"]].flat().filter((text) => text !== undefined)
  return { name: "version", state: said.length > 0 ? "ok" : "unsure", seen: said.join(", ").slice(0, 80) || "it does not say" }
}

async function latencyStep(first: Probed, connection: RestConnection, settings: RestSettings, host: DiagnosisHost): Promise<Step> {
  const times: number[] = []
  for (let i = 0; i < PROBES; i++) {
    const next = await probed(connection, settings, host)
    if ("reply" in next) times.push(next.ms)
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor(times.length / 2)] ?? first.ms
  const seen = `${times.length} more probes: fastest ${showMs(times[0] ?? first.ms)}, median ${showMs(median)}`
  return { name: "latency", state: "ok", seen, ms: median }
}
