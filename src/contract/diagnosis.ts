import type { Reference } from "./reference.ts"
import type { ServiceHost } from "./service.ts"

/** What keeps a service from being used; `trestle doctor` exits by it. */
export type Trouble =
  /** Nobody is there, or gives no answer that can be trusted. */
  | "unreachable"
  /** Its certificate proves nothing, or will soon prove nothing. */
  | "untrusted"
  /** It does not accept who we are, or does not let us. */
  | "refused"
  /** It is there, and something about it or about its declaration is wrong. */
  | "unwell"

/** One thing that a request to a service needs, looked at on its own. */
export interface Step {
  /** `dns`, `tcp`, `tls`, `authentication`, `version`, `latency`, or what else this kind of service needs. */
  readonly name: string
  /** `unsure`: it could not be looked at, and `seen` says why. `not reached`: an earlier step failed. */
  readonly state: "ok" | "failed" | "warning" | "unsure" | "not reached"
  /** What was seen, short: `127.0.0.1:5001`, `401 to GET /ping`. Never a secret. */
  readonly seen: string
  readonly ms?: number
  /** With `failed` and `warning`. */
  readonly trouble?: {
    readonly kind: Trouble
    /** One sentence, without the service's name. */
    readonly message: string
    /** What to type. */
    readonly fix: string
  }
}

/** What a connector gets to look at its service. */
export interface DiagnosisHost extends ServiceHost {
  /** Longest that one step may take. */
  readonly timeoutMs: number
  /** Where the value of a reference comes from, for people, secrets masked: `HR_TOKEN ends …9f2c, from the shell, which shadows .env.local`. */
  readonly origin: (reference: Reference) => string
  /** What to type to give a reference another value: `HR_TOKEN=... in .env.local`. */
  readonly correction: (reference: Reference) => string
}
