import type { Revocation } from "./keeping.ts"

/** Who calls. */
export interface Principal {
  /** Stable and unique among all principals: ownership and kept answers go by it. */
  readonly id: string
  /** `system` is Trestle's own: no authenticator may give it. */
  readonly kind: "user" | "key" | "service" | "system"
  /** What `role()` asks for. Default: none. */
  readonly roles?: readonly string[]
  /** What `can()` asks for, besides those that its roles bring. Default: none. */
  readonly permissions?: readonly string[]
  /** For rules, scopes and owners of yours. Like roles and claims it is part of whose a kept answer is. */
  readonly tenant?: string
  /** Whatever else the credential says. */
  readonly claims?: Readonly<Record<string, unknown>>
  /**
   * Public id of the credential that proved it, never a secret, where it can end by itself: answers kept for it are its own, and go with
   * it. Default: what is kept belongs to the principal.
   */
  readonly credential?: string
}

/** A ready-made rule. */
export interface Access {
  readonly kind: string
}

export type BuiltInAccess =
  | { readonly kind: "anyone"; readonly reason: string }
  | { readonly kind: "signed-in" }
  | { readonly kind: "role"; readonly names: readonly string[] }
  | { readonly kind: "can"; readonly permission: string }

/** A ready-made rule, or a bare arrow over the validated input. Never a generic helper inside the contract: its parameter would be `unknown`. */
export type Rule<V> = Access | ((input: V, who: Principal) => boolean | Promise<boolean>)

/** Open to everybody, credentials or not; the reason is kept and shown in audits. */
export function anyone(reason: string): Access {
  return { kind: "anyone", reason } as BuiltInAccess
}

/** Any caller whose credential was verified. */
export function signedIn(): Access {
  return { kind: "signed-in" } as BuiltInAccess
}

/** Callers with at least one of these roles. */
export function role(...names: string[]): Access {
  return { kind: "role", names } as BuiltInAccess
}

/** Callers who hold this permission, themselves or through a role of `trestle({ permissions })`. */
export function can(permission: string): Access {
  return { kind: "can", permission } as BuiltInAccess
}

/** The head of a request, as an authenticator sees it: the body has not been read. */
export interface RequestHead {
  readonly method: string
  /** Without the query, and without the prefix behind which the application is mounted. */
  readonly path: string
  /** Names in lower case; a repeated field is joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Address of the peer that holds the connection. */
  readonly address: string
  /** The object that a host has for this request, where the application is mounted in one; for `fromHost`. */
  readonly host?: unknown
}

/** What an authenticator needs from the application that started it. */
export interface AuthenticatorHost {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Folder where Trestle keeps its own files. */
  readonly folder: string
  /** Say it when a principal or one of its credentials has ended: what is kept for it is removed before this returns. */
  readonly revoked: (revoked: Revocation) => void
  /** Has `look` called about once a second for as long as the application runs and answers are kept; otherwise never. */
  readonly watch: (look: () => void) => void
}

/**
 * Turns a credential into a principal.
 *
 * `principal`: who it proves. `null`: no credential of this kind is here, the next authenticator may look. `"bad"`: there is one and it
 * is wrong, expired or revoked; the request ends with 401, whatever the others would say.
 */
export interface Authenticate {
  (head: RequestHead): Principal | null | "bad" | Promise<Principal | null | "bad">
  /** Without it, work that was kept for a principal runs with the roles and permissions it had when the work was put. */
  readonly resolve?: ResolvePrincipal | undefined
}

/**
 * What is true of a principal now, whose credential is not here: asked before kept work is run on its behalf.
 *
 * `principal`: the same, with its present roles and permissions. `null`: not one of mine. `"ended"`: it may do nothing any more.
 */
export type ResolvePrincipal = (principal: Principal) => Principal | null | "ended" | Promise<Principal | null | "ended">

/** One way to prove who calls: `apiKeys()`, `authenticator(...)`, `fromHost(...)`. */
export interface Authenticator {
  /** Its name in logs and findings. */
  readonly kind: string
  /** How a client sends the credential: an OpenAPI security scheme. */
  readonly scheme?: Readonly<Record<string, unknown>>
  /** Once per start. */
  open(host: AuthenticatorHost): Authenticate | Promise<Authenticate>
}

/** Runs what nobody called: the application itself. Never handed to a caller. */
export const SYSTEM: Principal = { id: "system", kind: "system" }
