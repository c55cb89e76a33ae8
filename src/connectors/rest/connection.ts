import type { DeadlineField } from "../../contract/deadline-field.ts"
import type { HttpTransport, WireReply, WireRequest } from "../../contract/ports.ts"
import type { Ref, References } from "../../contract/reference.ts"
import type { Attempt, Connection, ServiceHost } from "../../contract/service.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { OutboundAuth } from "./credentials.ts"
import { Timed } from "./timed.ts"
import { AnswerTooLarge, openUndici } from "./transport.ts"

/** A probe that takes longer says "no" as well. */
const PROBE_TIMEOUT_MS = 2_000
const PROBE_ANSWER_BYTES_MAX = 65_536

export interface RestSettings {
  readonly name: string
  readonly url: Ref | string
  readonly auth: OutboundAuth | undefined
  readonly deadline: DeadlineField | undefined
  readonly health: Probe | null
}

/** What a healthy service answers with a status below 400. */
export interface Probe {
  readonly method: string
  readonly path: string
}

/** An opened REST service: its pool, its address, its credentials. */
export class RestConnection implements Connection {
  readonly transport: HttpTransport
  readonly origin: string
  /** Path of the service's address, which comes before every route's. */
  readonly prefix: string
  readonly probe?: () => Promise<void>
  readonly epoch: () => number
  readonly #auth: OutboundAuth | undefined
  readonly #deadline: DeadlineField | undefined
  readonly #references: References
  readonly #host: ServiceHost

  constructor(transport: HttpTransport, url: URL, settings: RestSettings, host: ServiceHost) {
    this.transport = transport
    this.origin = url.origin
    this.prefix = url.pathname.replace(/\/$/, "")
    this.epoch = host.clock.epoch
    this.#auth = settings.auth
    this.#deadline = settings.deadline
    this.#references = host.references
    this.#host = host
    const { health } = settings
    if (health) this.probe = () => this.#probe(health)
  }

  /** Adds what proves us to the service, from the credentials' present values. */
  prove(headers: Record<string, string>): Record<string, string> {
    return this.#auth ? Object.assign(headers, this.#auth.headers(this.#references)) : headers
  }

  /**
   * Says, to a service that takes it, how much time is left. `isLong`: a body on its way has the time of the whole call, for that of the
   * attempt begins anew with each of its pieces.
   */
  timed(request: WireRequest, attempt: Attempt, isLong: boolean): WireRequest {
    if (this.#deadline === undefined) return request
    const { call, timeoutMs } = attempt
    return new Timed(request, this.#deadline, isLong ? call.deadlineAt - call.clock.now() : timeoutMs)
  }

  close(): Promise<void> {
    return this.transport.close()
  }

  /**
   * One request outside of every call and policy. `isStranger` leaves the credential out.
   *
   * @throws {TrestleError} `UNAVAILABLE` when no answer came.
   */
  ask({ method, path }: Probe, { timeoutMs, isStranger = false }: { timeoutMs: number; isStranger?: boolean }): Promise<WireReply> {
    const plain = { accept: "application/json", "user-agent": "trestle" }
    const headers = isStranger ? plain : this.prove(plain)
    const request: WireRequest = { method, path: this.prefix + path, headers, body: null, answerBytesMax: PROBE_ANSWER_BYTES_MAX }
    const { clock } = this.#host
    return new Promise((resolve, reject) => {
      const refuse = (note: string, cause?: unknown): void => {
        clock.cancel(alarm)
        reject(new TrestleError("UNAVAILABLE", undefined, { note, cause }))
      }
      const sending = this.transport.send(request, {
        sent: () => {},
        replied: (reply) => {
          clock.cancel(alarm)
          resolve(reply)
        },
        failed: (cause) => refuse(cause instanceof AnswerTooLarge ? cause.message : `cannot be reached (${codeOf(cause)})`, cause),
      })
      const alarm = clock.after(timeoutMs, {
        ring: () => {
          sending.stop()
          refuse(`no answer within ${timeoutMs} ms`)
        },
      })
    })
  }

  async #probe(health: Probe): Promise<void> {
    const { status } = await this.ask(health, { timeoutMs: PROBE_TIMEOUT_MS })
    if (status >= 400) throw new TrestleError("UNAVAILABLE", undefined, { note: `HTTP ${status}` })
  }
}

/** @throws {TrestleError} `START_REFUSED` when the address is no http or https URL. */
export async function openRest(settings: RestSettings, host: ServiceHost): Promise<RestConnection> {
  const address = host.references.read(settings.url)
  const url = URL.canParse(address) ? new URL(address) : null
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TrestleError("START_REFUSED", `the address of ${settings.name} is not an http or https URL`)
  }
  if (url.username || url.password) {
    throw new TrestleError(
      "START_REFUSED",
      `the address of ${settings.name} carries a credential; move it to auth: basic(user, secret("..."))`,
    )
  }
  const open = host.openTransport ?? openUndici
  const transport = await open({ origin: url.origin, connections: host.concurrency })
  return new RestConnection(transport, url, settings, host)
}

/** A connection that broke says more by its code; an answer that is no HTTP has none. */
function codeOf(cause: unknown): string {
  const { code, message } = (cause ?? {}) as { code?: string; message?: string }
  return code ?? message ?? "no code"
}
