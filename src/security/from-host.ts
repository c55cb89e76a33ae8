import type { Authenticator, Principal } from "../contract/principal.ts"
import { type AuthenticatorOptions, authenticator } from "./authenticator.ts"

/**
 * Takes over whom the host has authenticated, where the application is mounted in a server of yours:
 *
 *     trestle({ name: "desk", ops, authenticate: [fromHost((request: FastifyRequest) => request.user ?? null)] })
 *
 * The function gets the host's own object for the request: Fastify's request, Express' and Node's `req`, what was given to `fetch` as
 * `host`, else the `Request`. It answers a principal, or `null` where the host knows nobody, so that the next authenticator may look.
 * It has the last word over nobody: rules, roles and ownership apply as to any other caller.
 *
 * Closed when in doubt: where it throws or answers anything else (`undefined` too), the request is refused with `UNAVAILABLE`, and the
 * log says what was wrong. On Trestle's own server there is no host, and it answers `null`.
 *
 * @param principalOf At once or as a promise. Its parameter is what you say it is: nothing checks which host it comes from.
 */
export function fromHost<Host>(
  principalOf: (host: Host) => Principal | null | Promise<Principal | null>,
  options: AuthenticatorOptions = {},
): Authenticator {
  return authenticator("host", ({ host }) => (host === undefined ? null : principalOf(host as Host)), options)
}
