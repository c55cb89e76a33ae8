import type { Declaration, Verb } from "./op.ts"
import type { Shape } from "./shape.ts"

export interface HttpRoute {
  readonly verb: Verb
  /** As declared: `/users/{id}`. */
  readonly pattern: string
  readonly params: readonly string[]
}

/**
 * How real an operation is: answered from the declaration; by a real backend that nobody has seen working with this contract; seen working
 * by `trestle verify`; has answered real callers in production.
 */
export type State = "placeholder" | "wired" | "verified" | "live"

/** When an operation ends, in milliseconds since 1970; `null` where the declaration does not say when that was decided. */
export interface Retiring {
  readonly sunset: number
  readonly since: number | null
  /** Path of what replaces it. */
  readonly use: string | null
  /** `Deprecated: ends on 2027-01-31. Use users.create.` */
  readonly sentence: string
}

/** An operation after its declaration was read once and found good: everything the rooms above ask of it. */
export interface Operation {
  /** Its path in the application, which is its name: `users.create`. */
  readonly path: string
  readonly declaration: Declaration
  readonly effect: "read" | "write"
  readonly repeat: "none" | "natural" | "key"
  readonly deadlineMs: number
  readonly route: HttpRoute | null
  readonly input: Shape
  readonly output: Shape
  /** Answers with nothing: 204 over HTTP. */
  readonly isSilent: boolean
  /** HTTP status of a success. */
  readonly status: number
  readonly errors: Readonly<Record<string, number>>
  /** Open to callers without credentials. */
  readonly isPublic: boolean
  /** As declared; only what was seen makes it verified or live. */
  readonly state: "placeholder" | "wired"
  /** Why it is still a placeholder. */
  readonly why: string | null
  /** SHA-256, in hexadecimal, of what callers depend on; made when it is first asked for. */
  readonly contractHash: string
  readonly retiring: Retiring | null
}

/** The first path that it has had. What is known of an intent is known by that, so that a new name makes no second one of it. */
export function originOf({ path, declaration }: Operation): string {
  return declaration.contract.was?.[0] ?? path
}
