import type { BuiltInAccess, Principal, Rule } from "../contract/principal.ts"
import { TrestleError } from "../errors/trestle-error.ts"

/** Lets the caller pass, or throws. At once where the rules answer at once. */
export type Access = (input: unknown, principal: Principal | null) => void | Promise<void>

/** The application's roles and what each of them may do. */
export type RolePermissions = Readonly<Record<string, readonly string[]>>

type Test = (input: unknown, who: Principal) => unknown

/**
 * Makes one function of an operation's `allow` and the application's `permissions`.
 *
 * Any one rule that holds is enough; no rules let nobody in. Ready-made rules are asked first, then functions in their order, those
 * declared `async` last, so that nothing is waited for when a caller passes without it. A rule holds when it answers `true`, or a
 * promise of it: nothing else that looks true does. A rule that throws or rejects does not hold. Callers without credentials pass only
 * by `anyone`; functions are never asked about them. The principal `system` gets no special treatment.
 *
 * The function it gives throws (or rejects with) a TrestleError: `UNAUTHENTICATED` without credentials; `FORBIDDEN` when no rule
 * holds, with the first rule's error as its cause.
 *
 * @throws {TrestleError} `START_REFUSED` for what is no rule.
 */
export function compileAccess(allow: Rule<any> | readonly Rule<any>[] | undefined, permissions: RolePermissions = {}): Access {
  const rules: readonly Rule<any>[] = allow === undefined ? [] : Array.isArray(allow) ? allow : [allow as Rule<any>]
  const tests = [...rules].sort((a, b) => patience(a) - patience(b)).map((rule) => testOf(rule, permissions))
  if (tests.includes(ALWAYS)) return () => undefined
  return (input, principal) => {
    if (principal == null) throw new TrestleError("UNAUTHENTICATED")
    return judge(tests, 0, input, principal, undefined)
  }
}

/** Stands for `anyone`, and is recognized by being this very function. */
const ALWAYS: Test = () => true

function patience(rule: Rule<any>): number {
  if (typeof rule !== "function") return 0
  return Object.prototype.toString.call(rule) === "[object AsyncFunction]" ? 2 : 1
}

function testOf(rule: Rule<any>, permissions: RolePermissions): Test {
  if (typeof rule === "function") return rule
  const access = rule as BuiltInAccess | null
  switch (access?.kind) {
    case "anyone":
      return ALWAYS
    case "signed-in":
      return () => true
    case "role":
      return (_, who) => holdsOne(who.roles, access.names)
    case "can": {
      const holds = compileHolds(access.permission, permissions)
      return (_, who) => holds(who)
    }
    default:
      throw new TrestleError("START_REFUSED", undefined, {
        note: "allow must be anyone(), signedIn(), role(), can(), a function, or a list of these",
      })
  }
}

/** Whether somebody holds a permission, of its own or through a role: the answer without the refusal. */
export function compileHolds(permission: string, permissions: RolePermissions): (who: Principal) => boolean {
  const wanted = [permission]
  const granting = Object.keys(permissions).filter((role) => permissions[role]!.includes(permission))
  return (who) => holdsOne(who.permissions, wanted) || holdsOne(who.roles, granting)
}

/** Only a list holds anything: in one string, `includes` would find parts of words. */
function holdsOne(held: readonly string[] | undefined, wanted: readonly string[]): boolean {
  return Array.isArray(held) && wanted.some((name) => held.includes(name))
}

function judge(tests: readonly Test[], from: number, input: unknown, who: Principal, trouble: unknown): void | Promise<void> {
  let first = trouble
  for (let i = from; i < tests.length; i++) {
    try {
      const answer = tests[i]!(input, who)
      if (answer === true) return
      if (isThenable(answer)) return judgeLater(tests, i, answer, { input, who, trouble: first })
    } catch (error) {
      first ??= error
    }
  }
  throw new TrestleError("FORBIDDEN", undefined, { cause: first })
}

async function judgeLater(
  tests: readonly Test[],
  index: number,
  pending: PromiseLike<unknown>,
  asked: { readonly input: unknown; readonly who: Principal; readonly trouble: unknown },
): Promise<void> {
  let first = asked.trouble
  try {
    if ((await pending) === true) return
  } catch (error) {
    first ??= error
  }
  return judge(tests, index + 1, asked.input, asked.who, first)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
}
