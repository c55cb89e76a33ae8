import { canonical } from "../base/canonical.ts"
import type { CallContext } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import type { Owner } from "../contract/keeping.ts"
import type { Principal } from "../contract/principal.ts"

/** Tells apart what must not meet: an answer is given again only under the very key that it was kept under. */
export interface KeyRules {
  /** For all callers. */
  readonly isShared: boolean
  /** Of the input. Default: all of it. */
  readonly key: ((input: any) => string) | undefined
}

/** Claims that differ from token to token, and say nothing of what their bearer may see. Source: RFC 7519, section 4.1. */
const VOLATILE_CLAIMS: ReadonlySet<string> = new Set(["exp", "nbf", "iat", "jti"])

/** Whose the answer of this call is. */
export function ownerOf({ principal }: CallContext, isShared: boolean): Owner {
  if (isShared || principal === null) return null
  const { id, kind, credential } = principal
  return credential === undefined ? { id, kind } : { id, kind, credential }
}

/**
 * The key of a call's answer; `null` when its input, or something of its caller, cannot be told from others (a stream, a file, an object of a
 * class).
 */
export function keyOf(input: unknown, call: CallContext, { isShared, key }: KeyRules): string | null {
  const scope = isShared ? "shared" : scopeOf(call)
  if (scope === null) return null
  const what = key === undefined ? canonical(input) : keyText(key, input, call)
  return what === null ? null : `${scope} ${what}`
}

function keyText(key: (input: any) => string, input: unknown, call: CallContext): string {
  let text: unknown
  try {
    text = key(input)
  } catch (cause) {
    throw failure("request-not-mapped", call.effect, { cause, note: `${call.operation}: the key of a kept answer could not be made` })
  }
  // Anything else would make many inputs one.
  if (typeof text === "string") return text
  throw failure("request-not-mapped", call.effect, { note: `${call.operation}: the key of a kept answer is not a text` })
}

/** Everything about a caller that its answer may depend on. Callers without credentials are one caller, the application itself is another. */
function scopeOf({ principal, isOwnAuthority }: CallContext): string | null {
  if (principal === null) return isOwnAuthority ? "application" : "anonymous"
  const who = textOf(principal)
  return isOwnAuthority && who !== null ? `application ${who}` : who
}

/** API keys prove the same frozen principal again and again. */
const texts = new WeakMap<Principal, string>()

function textOf(principal: Principal): string | null {
  const known = texts.get(principal)
  if (known !== undefined) return known
  // An authenticator may give more than a principal needs, and code may look at it.
  const { id, kind, credential, tenant, roles, permissions, claims, ...beyond } = principal
  const lasting = claims && Object.fromEntries(Object.entries(claims).filter(([name]) => !VOLATILE_CLAIMS.has(name)))
  const told = canonical([lasting, beyond])
  if (told === null) return null
  const who = [kind, id, credential, tenant, roles && [...roles].sort(), permissions && [...permissions].sort()]
  const text = JSON.stringify([...who, told])
  if (told === NOTHING_MORE && isForGood(principal)) texts.set(principal, text)
  return text
}

function isForGood(principal: Principal): boolean {
  const { roles = NONE, permissions = NONE } = principal
  return Object.isFrozen(principal) && Object.isFrozen(roles) && Object.isFrozen(permissions)
}

const NOTHING_MORE = canonical([undefined, {}])
const NONE: readonly string[] = Object.freeze([])
