import type { Clock } from "../base/clock.ts"
import { parseDuration } from "../base/duration.ts"
import { failure } from "../contract/failure.ts"
import type { Operation } from "../contract/operation.ts"
import { type Defaults, SHED_MS } from "../contract/policy.ts"
import type { EventLog } from "../contract/ports.ts"
import { type Authenticate, type Principal, type RequestHead, SYSTEM } from "../contract/principal.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { Shedder } from "../policies/shed.ts"
import type { Call } from "../runtime/call.ts"
import type { Engine } from "../runtime/engine.ts"
import type { Stage, StageMakers } from "../runtime/stages.ts"
import { compileAccess, compileHolds } from "../security/authorization.ts"
import { compileOwnership } from "../security/ownership.ts"

/** `meta:read` as a permission, of the caller or of one of its roles. */
export function maySeeMeta(permissions: Readonly<Record<string, readonly string[]>>): (call: Call) => boolean {
  const holds = compileHolds("meta:read", permissions)
  return ({ principal }) => principal !== null && holds(principal)
}

/** What a caller is told to wait who was refused for the load. */
const SHED_RETRY_MS = 1_000

/** Refuses calls for the load before anything else is looked at. Health, documents and pages are no calls. */
export function sheddingStages(shedder: Shedder | null, makers: StageMakers): StageMakers {
  if (!shedder) return makers
  const admit = (operation: Operation): Stage => {
    const next = makers.admit?.(operation) ?? null
    return (call) => {
      if (!shedder.admits()) throw failure("shed", operation.effect, { note: "load shedding", retryAfterMs: SHED_RETRY_MS })
      return next?.(call)
    }
  }
  return { ...makers, admit }
}

export function openShedder({ shed }: Defaults, clock: Clock, events: EventLog): Shedder | null {
  if (shed === false) return null
  const turnMsMax = parseDuration(shed) ?? SHED_MS
  return new Shedder(turnMsMax, clock, (isShedding) => {
    if (isShedding) events.warn("load shedding has begun: calls beyond what the process can do are refused with 503", { turnMsMax })
    else events.info("load shedding has ended")
  })
}

/** Whether whoever sent that head may see how the application stands with its services: `meta:read`. */
export function maySeeInside(
  authenticate: Authenticate | null,
  permissions: Readonly<Record<string, readonly string[]>>,
): (head: RequestHead) => Promise<boolean> {
  const holds = compileHolds("meta:read", permissions)
  return async (head) => {
    const found = authenticate ? await authenticate(head) : null
    return found !== null && found !== "bad" && holds(found)
  }
}

/** The stages of the security room, put on the way of a call. */
export function securityStages(
  authenticate: Authenticate | null,
  permissions: Readonly<Record<string, readonly string[]>>,
  engine: () => Engine,
): StageMakers {
  return {
    authenticate: (operation) => authenticating(authenticate, operation.isPublic),
    authorize: (operation) => authorizing(operation, permissions, engine),
  }
}

/** Ends the calls of strangers here, before their bodies are read, except where everybody is welcome. */
function authenticating(authenticate: Authenticate | null, isPublic: boolean): Stage | null {
  if (!authenticate) return isPublic ? null : refuseStranger
  const settle = (call: Call, found: Principal | null | "bad"): void => {
    const who = proven(found, call.entry!.head)
    if (who === null && !isPublic) refuseStranger()
    call.principal = who
  }
  return (call) => {
    const found = authenticate(call.entry!.head)
    return found instanceof Promise ? found.then((who) => settle(call, who)) : settle(call, found)
  }
}

/** @throws {TrestleError} `UNAUTHENTICATED` for a credential that proves nobody. */
export function proven(found: Principal | null | "bad", { headers }: RequestHead): Principal | null {
  if (found === "bad") throw new TrestleError("UNAUTHENTICATED", "The credential is not valid.")
  // Whoever shows a credential means to be somebody; going on as nobody would hide the mistake.
  if (found === null && headers.authorization !== undefined)
    throw new TrestleError("UNAUTHENTICATED", "The credential is of no kind that is taken here.")
  return found
}

function refuseStranger(): never {
  throw new TrestleError("UNAUTHENTICATED")
}

function authorizing(operation: Operation, permissions: Readonly<Record<string, readonly string[]>>, engine: () => Engine): Stage | null {
  const { allow, owner } = operation.declaration.contract
  // An internal operation without rules of its own is reached only by the application's own code.
  const access = allow === undefined && !operation.route ? null : compileAccess(allow, permissions)
  const owned = owner
    ? compileOwnership(owner, (input, call) => engine().nest(call as Call, owner.load, input, { apartAs: SYSTEM, isOwnAuthority: true }))
    : null
  if (!access && !owned) return null
  return (call) => {
    if (call.isOwnAuthority) return undefined
    const deciding = access?.(call.input, call.principal)
    if (!owned) return deciding
    return deciding instanceof Promise ? deciding.then(() => owned(call.input, call)) : owned(call.input, call)
  }
}
