import type { Authenticate, Authenticator, RequestHead, ResolvePrincipal } from "../contract/principal.ts"

export interface AuthenticatorOptions {
  /** How a client sends the credential, as an OpenAPI security scheme. Default: not documented. */
  readonly scheme?: Readonly<Record<string, unknown>>
  /**
   * What a principal may do now, before work that was kept for it is run: `null` for a principal of another authenticator, `"ended"` for one
   * that may do nothing any more. Default: what it might do when the work was put.
   */
  readonly resolve?: ResolvePrincipal
}

/**
 * An authenticator of your own: turns what your callers send into a principal.
 *
 *     const badges = authenticator(
 *       "badge",
 *       async ({ headers }) => {
 *         const badge = headers["x-badge"]
 *         if (badge === undefined) return null
 *         const person = await personOfBadge(badge)
 *         return person ? { id: person.id, kind: "user", roles: person.roles } : "bad"
 *       },
 *       { scheme: { type: "apiKey", in: "header", name: "X-Badge" } },
 *     )
 *
 *     trestle({ name: "door", ops, authenticate: [badges, apiKeys()] })
 *
 * Answer `null` only where your kind of credential is absent, so that the next authenticator may look; a credential that is there but
 * does not hold is `"bad"`. Compare secrets in constant time (`timingSafeEqual`). When `verify` throws, rejects or answers anything
 * else, the request is refused with `UNAVAILABLE` (503): a check that cannot be made lets nobody in. The kind `system` is Trestle's own.
 *
 * @param kind Its name in logs and findings.
 * @param verify Sees the head of the request; the body has not been read. At once or as a promise.
 */
export function authenticator(kind: string, verify: Authenticate, options: AuthenticatorOptions = {}): Authenticator {
  const { scheme, resolve } = options
  const known: Authenticate = resolve ? Object.assign((head: RequestHead) => verify(head), { resolve }) : verify
  return { kind, ...(scheme ? { scheme } : {}), open: () => known }
}
