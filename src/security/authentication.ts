import type { Authenticate, Authenticator, AuthenticatorHost, Principal, RequestHead } from "../contract/principal.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { isTexts } from "./key-record.ts"

interface Opened {
  readonly kind: string
  readonly verify: Authenticate
}

/** Not `system`: that is the application itself, and no credential proves it. */
const KINDS: ReadonlySet<unknown> = new Set<Principal["kind"]>(["user", "key", "service"])

/**
 * Opens the authenticators and makes one of them all: asked in order, the first that does not answer `null` decides.
 *
 * Answers at once as long as the authenticators do; a promise only from the first one that needs it. Sets no time limit of its own.
 *
 * @throws {TrestleError} `UNAVAILABLE` when an authenticator cannot be opened. The function it gives throws (or rejects with) the same
 *   code when one fails or answers what is no principal: a check that cannot be made lets nobody in. The note names the authenticator.
 */
export async function openAuthentication(authenticators: readonly Authenticator[], host: AuthenticatorHost): Promise<Authenticate> {
  const opened: Opened[] = []
  for (const { kind, open } of authenticators.map(bound)) {
    try {
      opened.push({ kind, verify: await open(host) })
    } catch (error) {
      throw failed(kind, "cannot be opened", error)
    }
  }
  const authenticate = (head: RequestHead): ReturnType<Authenticate> => ask(opened, 0, head)
  const knowing = opened.filter(({ verify }) => verify.resolve)
  return knowing.length === 0 ? authenticate : Object.assign(authenticate, { resolve: (who: Principal) => resolveAmong(knowing, who) })
}

/** The first that knows the principal decides. One that fails decides nothing, and neither may the others then. */
async function resolveAmong(opened: readonly Opened[], principal: Principal): Promise<Principal | null | "ended"> {
  for (const { kind, verify } of opened) {
    try {
      const found = await verify.resolve!(principal)
      if (found === null) continue
      if (found === "ended") return found
      const mistake = mistakeOf(found)
      if (mistake === null && found.id === principal.id && found.kind === principal.kind) return found
      throw failed(kind, `resolved ${principal.id} to another principal: ${mistake ?? `${found.kind} ${found.id}`}`)
    } catch (error) {
      throw failed(kind, "cannot say what a principal may do now", error)
    }
  }
  return null
}

function bound(authenticator: Authenticator): Pick<Authenticator, "kind" | "open"> {
  return { kind: authenticator.kind, open: (host) => authenticator.open(host) }
}

function ask(opened: readonly Opened[], from: number, head: RequestHead): ReturnType<Authenticate> {
  for (let i = from; i < opened.length; i++) {
    const { kind, verify } = opened[i]!
    let answer: ReturnType<Authenticate>
    try {
      answer = verify(head)
    } catch (error) {
      throw failed(kind, "failed", error)
    }
    if (isThenable(answer)) return askLater(opened, i, answer, head)
    const sound = soundAnswer(kind, answer)
    if (sound !== null) return sound
  }
  return null
}

async function askLater(
  opened: readonly Opened[],
  index: number,
  pending: PromiseLike<unknown>,
  head: RequestHead,
): Promise<Principal | null | "bad"> {
  const { kind } = opened[index]!
  let answer: unknown
  try {
    answer = await pending
  } catch (error) {
    throw failed(kind, "failed", error)
  }
  return soundAnswer(kind, answer) ?? ask(opened, index + 1, head)
}

/**
 * Custom code may answer anything, whatever its types say. Roles that are one string would be dangerous: `"administrator"` includes
 * `"admin"`. And `undefined` is a forgotten `return`, not "no credential".
 */
function soundAnswer(kind: string, answer: unknown): Principal | null | "bad" {
  if (answer === null || answer === "bad") return answer
  const mistake = mistakeOf(answer)
  if (mistake !== null) throw failed(kind, `answered neither a principal nor null nor "bad": ${mistake}`)
  return answer as Principal
}

/** Names the field, never its value. */
function mistakeOf(answer: unknown): string | null {
  if (typeof answer !== "object") return `it is ${answer === undefined ? "undefined" : `a ${typeof answer}`}`
  const { id, kind, roles, permissions, tenant } = answer as Record<keyof Principal, unknown>
  if (typeof id !== "string" || id === "") return "`id` is no text, or empty"
  if (!KINDS.has(kind)) return "`kind` is none of user, key, service"
  if (roles !== undefined && !isTexts(roles)) return "`roles` is no list of texts"
  if (permissions !== undefined && !isTexts(permissions)) return "`permissions` is no list of texts"
  if (tenant !== undefined && typeof tenant !== "string") return "`tenant` is no text"
  return null
}

/** An `UNAVAILABLE` says already what is missing; anything else is only a cause. */
function failed(kind: string, what: string, cause?: unknown): TrestleError {
  if (TrestleError.is(cause) && cause.code === "UNAVAILABLE") return cause
  return new TrestleError("UNAVAILABLE", undefined, { note: `the authenticator "${kind}" ${what}`, cause })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
}
