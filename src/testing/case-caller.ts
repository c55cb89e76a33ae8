import type { BuiltInAccess, Principal, Rule } from "../contract/principal.ts"
import { rulesOf } from "../runtime/operations.ts"
import { compileAccess } from "../security/authorization.ts"
import { answerOf, broken, type Subject } from "./case-subject.ts"

/** Who passes the operation's rules, and the stored object that is theirs where there is an owner rule. */
export interface CaseCaller {
  readonly principal: Principal
  /** As `owner.load` answers it. */
  readonly row: unknown
}

/** Nothing but roles and permissions decides. */
export function isRuledByRoles(subject: Subject): boolean {
  const rules = rulesOf(subject.operation.declaration.contract.allow)
  return rules.length > 0 && rules.every((rule) => typeof rule !== "function" && ["role", "can"].includes(rule.kind))
}

/**
 * Looks for a principal whom every rule lets pass, among ids that occur in the input and in the stored object and the roles that the
 * application knows. Rules are the application's own code, so it may be that only the application knows one.
 */
export async function callerFor(subject: Subject, input: unknown): Promise<CaseCaller> {
  const { operation, caller } = subject
  const { owner } = operation.declaration.contract
  const row = owner ? await rowOf(subject) : undefined
  const seen = row === undefined ? undefined : row.checked
  const candidates = caller ? [caller] : candidatesFor(subject, input, seen)
  let byRight: Principal | null = null
  for (const principal of candidates) {
    if (!(await mayPass(subject, input, principal)) || (owner && !isOwner(subject, seen, principal))) continue
    // Where owners and a role may both, the owner: whoever may all cannot show that somebody else may not.
    if (!owner || !isOwner(subject, seen, strangerOf(principal))) return { principal, row: row?.raw }
    byRight ??= principal
  }
  if (byRight) return { principal: byRight, row: row?.raw }
  return broken(
    `${operation.path}: nobody was found whom its rules let pass. Say who may: contractCases(app, { callers: { "${operation.path}": { id: "...", kind: "user" } } })`,
  )
}

/** With every right of the owner, but another person of another tenant. */
export function strangerOf(principal: Principal): Principal {
  return { ...principal, id: "test-somebody-else", tenant: "test-another-tenant" }
}

/** The rules that come before the owner's. */
export async function mayPass(subject: Subject, input: unknown, principal: Principal): Promise<boolean> {
  const checked = await subject.operation.input.check(input)
  if ("issues" in checked) return false
  try {
    await compileAccess(subject.operation.declaration.contract.allow, subject.permissions)(checked.value, principal)
    return true
  } catch {
    return false
  }
}

function isOwner({ operation }: Subject, row: unknown, principal: Principal): boolean {
  try {
    return operation.declaration.contract.owner!.is(row as {}, principal) === true
  } catch {
    return false
  }
}

async function rowOf(subject: Subject): Promise<{ raw: unknown; checked: unknown }> {
  const { owner } = subject.operation.declaration.contract
  const load = subject.all.find(({ op }) => op === owner!.load)
  if (!load) return broken(`${subject.operation.path}: owner.load is not an operation of the application`)
  const raw = await answerOf(load.operation)
  const checked = await load.operation.output.check(raw)
  return { raw, checked: "issues" in checked ? undefined : checked.value }
}

function candidatesFor(subject: Subject, input: unknown, row: unknown): Principal[] {
  const ids = ["test-caller", ...scalarsIn(row), ...scalarsIn(input)]
  const own = grantsOf(rulesOf(subject.operation.declaration.contract.allow))
  const every = grantsOf(subject.all.flatMap(({ operation }) => rulesOf(operation.declaration.contract.allow)))
  const roles = [...new Set([...every.roles, ...Object.keys(subject.permissions)])]
  const grants = [
    own,
    { roles: [], permissions: [] },
    ...roles.map((name) => ({ roles: [name], permissions: [] })),
    { roles, permissions: every.permissions },
  ]
  const tenants = [undefined, ...scalarsIn(row)]
  return (["user", "service", "key"] as const).flatMap((kind) =>
    ids.flatMap((id) =>
      tenants.flatMap((tenant) => grants.map((grant) => ({ id, kind, ...grant, ...(tenant === undefined ? {} : { tenant }) }))),
    ),
  )
}

function grantsOf(rules: readonly Rule<any>[]): { roles: string[]; permissions: string[] } {
  const builtIn = rules.filter((rule) => typeof rule !== "function") as BuiltInAccess[]
  return {
    roles: builtIn.flatMap((rule) => (rule.kind === "role" ? rule.names : [])),
    permissions: builtIn.flatMap((rule) => (rule.kind === "can" ? [rule.permission] : [])),
  }
}

/** Texts and numbers anywhere in a value, as texts. */
function scalarsIn(value: unknown): string[] {
  if (typeof value === "string" || typeof value === "number") return value === "" ? [] : [String(value)]
  if (typeof value !== "object" || value === null) return []
  return [...new Set(Object.values(value).flatMap(scalarsIn))].slice(0, 20)
}
