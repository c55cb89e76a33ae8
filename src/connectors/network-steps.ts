import { lookup } from "node:dns/promises"
import { connect, isIP, type Socket } from "node:net"
import { connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls"
import type { Clock } from "../base/clock.ts"
import type { Step } from "../contract/diagnosis.ts"

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Looking {
  readonly clock: Clock
  readonly timeoutMs: number
  /** What to type to correct the service's address. */
  readonly correction: string
}

/** A certificate that ends sooner is a warning. */
const DAYS_LEFT_MIN = 21
const DAY_MS = 86_400_000

/** The name → its addresses. */
export async function dnsStep({ host }: Address, { clock, timeoutMs, correction }: Looking): Promise<Step> {
  if (isIP(host)) return { name: "dns", state: "ok", seen: "the address is a number" }
  const startedAt = clock.now()
  try {
    const found = await within(lookup(host, { all: true }), timeoutMs)
    return { name: "dns", state: "ok", seen: `${host} is ${found.map(({ address }) => address).join(", ")}`, ms: clock.now() - startedAt }
  } catch (error) {
    const code = codeOf(error)
    const isUnknown = code === "ENOTFOUND"
    const message = isUnknown ? `nobody knows the name ${host}` : `the name ${host} cannot be looked up (${code})`
    const fix = isUnknown ? `Correct the address: ${correction}` : `Look at this machine's name servers: getent hosts ${host}`
    return { name: "dns", state: "failed", seen: code, trouble: { kind: "unreachable", message, fix } }
  }
}

/** Whether somebody takes connections there. */
export async function tcpStep(address: Address, { clock, timeoutMs, correction }: Looking): Promise<Step> {
  const startedAt = clock.now()
  const place = placeOf(address)
  try {
    const socket = await opened(connect({ ...address, autoSelectFamily: true }), "connect", timeoutMs)
    const seen = placeOf({ host: socket.remoteAddress ?? address.host, port: address.port })
    socket.destroy()
    return { name: "tcp", state: "ok", seen, ms: clock.now() - startedAt }
  } catch (error) {
    const code = codeOf(error)
    const isRefused = code === "ECONNREFUSED"
    const message = isRefused
      ? `nothing listens at ${place}`
      : code === "ETIMEDOUT"
        ? `${place} takes no connection within ${timeoutMs} ms: a firewall, or a machine that is down`
        : `${place} cannot be connected (${code})`
    const fix = isRefused
      ? `Start the service, or correct the address: ${correction}`
      : `Try it from here: nc -vz ${address.host} ${address.port}   or correct the address: ${correction}`
    return { name: "tcp", state: "failed", seen: code, trouble: { kind: "unreachable", message, fix } }
  }
}

/** Whether the other side proves to be who the address says. Trusts what requests will trust: Node's list and `NODE_EXTRA_CA_CERTS`. */
export async function tlsStep(address: Address, { clock, timeoutMs, correction }: Looking): Promise<Step> {
  const startedAt = clock.now()
  const servername = isIP(address.host) ? {} : { servername: address.host }
  try {
    // What it cannot prove is looked at instead of being thrown; nothing is sent over this connection.
    const socket = await opened(connectTls({ ...address, ...servername, rejectUnauthorized: false }), "secureConnect", timeoutMs)
    const step = judged(socket, address, clock.epoch())
    socket.destroy()
    return { ...step, ms: clock.now() - startedAt }
  } catch (error) {
    const code = codeOf(error)
    const message = `${placeOf(address)} does not speak TLS as it is spoken here (${code})`
    const fix = `Look what it speaks: openssl s_client -connect ${placeOf(address)}   If it is plain HTTP: ${correction}`
    return { name: "tls", state: "failed", seen: code, trouble: { kind: "unreachable", message, fix } }
  }
}

function judged(socket: TLSSocket, address: Address, epoch: number): Step {
  const certificate = socket.getPeerCertificate()
  const days = Math.floor((Date.parse(certificate.valid_to) - epoch) / DAY_MS)
  const seen = `${socket.getProtocol()}, for ${namesOf(certificate)}, ${lifeOf(certificate, days)}`
  if (!socket.authorized) {
    const { message, fix } = distrust(String(socket.authorizationError), certificate, address)
    return { name: "tls", state: "failed", seen, trouble: { kind: "untrusted", message, fix } }
  }
  if (days >= DAYS_LEFT_MIN) return { name: "tls", state: "ok", seen }
  const message = `its certificate ends in ${days} ${days === 1 ? "day" : "days"}`
  const fix = `Have whoever runs ${address.host} renew it before ${dateOf(certificate.valid_to)}.`
  return { name: "tls", state: "warning", seen, trouble: { kind: "untrusted", message, fix } }
}

/** Why the certificate proves nothing, by OpenSSL's and Node's own codes. */
function distrust(code: string, certificate: PeerCertificate, address: Address): { message: string; fix: string } {
  const extra = "Put the certificate of who signed it into a file, and name it before the start: NODE_EXTRA_CA_CERTS=/path/to/ca.pem"
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return {
        message: `its certificate ended on ${dateOf(certificate.valid_to)}`,
        fix: `Have whoever runs ${address.host} renew it. Look: openssl s_client -connect ${placeOf(address)} | openssl x509 -noout -dates`,
      }
    case "CERT_NOT_YET_VALID":
      return { message: `its certificate begins on ${dateOf(certificate.valid_from)}`, fix: "Look at the clock of this machine: date -u" }
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return {
        message: `its certificate is for ${namesOf(certificate)}, not for ${address.host}`,
        fix: "Use one of those names in the address, or have a certificate made for this one.",
      }
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return { message: "its certificate is signed by itself, and nobody vouches for it", fix: extra }
    default:
      return { message: `its certificate is signed by somebody who is not trusted here (${code})`, fix: extra }
  }
}

function namesOf({ subject, subjectaltname }: PeerCertificate): string {
  const names = (subjectaltname ?? "").split(", ").flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? [])
  const all = names.length > 0 ? names : [subject?.CN ?? "nobody"].flat()
  return all.length > 3 ? `${all.slice(0, 3).join(", ")} and ${all.length - 3} more` : all.join(", ")
}

function lifeOf({ valid_to }: PeerCertificate, days: number): string {
  return days < 0 ? `ended ${dateOf(valid_to)}` : `until ${dateOf(valid_to)} (${days} ${days === 1 ? "day" : "days"})`
}

function dateOf(text: string): string {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? text : new Date(ms).toISOString().slice(0, 10)
}

function placeOf({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`
}

/** The socket when it is open; its error, or `ETIMEDOUT`. */
function opened<S extends Socket>(socket: S, event: "connect" | "secureConnect", timeoutMs: number): Promise<S> {
  const open = new Promise<S>((resolve, reject) => {
    socket.once(event, () => resolve(socket))
    // Kept: what comes after the end of the look must not end the process.
    socket.on("error", reject)
  })
  return within(open, timeoutMs).catch((error: unknown) => {
    socket.destroy()
    throw error
  })
}

/** Real time, whatever the application's clock: the network does not stand still for a test. */
async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const limit = setTimeout(() => reject(Object.assign(new RangeError("no answer in time"), { code: "ETIMEDOUT" })), timeoutMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(limit)
  }
}

function codeOf(error: unknown): string {
  // With several addresses there are several errors; the first says as much as all.
  const first = error instanceof AggregateError ? error.errors[0] : error
  return (first as { code?: string } | null)?.code ?? String(first)
}
