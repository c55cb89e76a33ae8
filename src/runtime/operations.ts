import { parseDuration } from "../base/duration.ts"
import type { Finding } from "../contract/finding.ts"
import { type Declaration, declarationOf, isOp, type Op, type Verb } from "../contract/op.ts"
import type { HttpRoute, Operation } from "../contract/operation.ts"
import { BODY_DEADLINE_MS, DEADLINE_MS, type Defaults } from "../contract/policy.ts"
import type { BuiltInAccess, Rule } from "../contract/principal.ts"
import { isSchema, nothing, type Std } from "../contract/schema.ts"
import { compileShape, type Shape } from "../contract/shape.ts"
import { contractHashOf } from "./contract-hash.ts"
import { finding } from "./findings.ts"
import { retiringOf } from "./retiring.ts"

/** An operation as the application holds it: its path and its declaration. */
export interface Named {
  readonly path: string
  readonly op: Op<any, any, any, any, any>
  readonly declaration: Declaration
}

/** Names that a caller object, a promise or a plain object already gives a meaning to. */
const RESERVED_NAMES = new Set(["then", "constructor", "prototype", "__proto__", "toJSON", "safe", "detailed"])

/** Walks the tree of operations; the key path is the name. */
export function collectOperations(ops: unknown, findings: Finding[]): Named[] {
  if (typeof ops === "object" && ops !== null) return collectGroup(ops, findings, "", [])
  findings.push(finding("TRS1013", null, "ops is not an object with operations", "trestle({ name: ..., ops: { users: { create, get } } })"))
  return []
}

/** Deeper than any honest tree; one whose groups make new groups for ever ends here. */
const DEPTH_MAX = 24

function collectGroup(group: object, findings: Finding[], prefix: string, above: readonly object[]): Named[] {
  const refuse = (message: string, fix: string): void => void findings.push(finding("TRS1013", null, `ops: ${message}`, fix))
  const keys = reading(() => Object.keys(group))
  if ("why" in keys) {
    refuse(`${prefix || "the whole"} cannot be read: ${keys.why}`, "Write a plain object: ops: { users: { create, get } }")
    return []
  }
  const named: Named[] = []
  for (const key of keys.value) {
    const path = prefix === "" ? key : `${prefix}.${key}`
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key) || RESERVED_NAMES.has(key)) {
      refuse(
        `"${path}" cannot be the name of an operation or a group`,
        "Use letters, digits and _, beginning with a letter, and no name that JavaScript or a caller already gives a meaning (then, safe).",
      )
      continue
    }
    const found = reading(() => kindOf((group as Record<string, unknown>)[key]))
    if ("why" in found) refuse(`${path} cannot be read: ${found.why}`, `Declare it: ${key}: op({ ... }).via(...)`)
    else if ("op" in found.value) named.push({ path, ...found.value })
    else if (found.value.group === null)
      refuse(`${path} is neither an operation nor a group of operations`, `Declare it: ${key}: op({ ... }).via(...)`)
    else if (above.includes(found.value.group))
      refuse(`${path} is a group that contains itself`, `Remove it: ops: { ... } without "${path}".`)
    else if (above.length >= DEPTH_MAX) refuse(`${path} is nested too deeply`, `At most ${DEPTH_MAX} groups may stand in one another.`)
    else named.push(...collectGroup(found.value.group, findings, path, [...above, group]))
  }
  return named
}

function kindOf(value: unknown): Omit<Named, "path"> | { readonly group: object | null } {
  if (isOp(value)) {
    const declaration = declarationOf(value)
    return typeof declaration?.contract === "object" && declaration.contract !== null ? { op: value, declaration } : { group: null }
  }
  if (typeof value !== "object" || value === null) return { group: null }
  // A service or a backend in the place of an operation is one mistake, not one for each of its fields.
  if (Object.hasOwn(value, "~service") || Object.hasOwn(value, "plan")) return { group: null }
  const prototype = Object.getPrototypeOf(value)
  // A module's namespace (`import * as users`) has no prototype.
  return { group: prototype === Object.prototype || prototype === null ? value : null }
}

/** What comes from a declaration may be anything, and `check` never throws. */
export function reading<T>(read: () => T): { readonly value: T } | { readonly why: string } {
  try {
    return { value: read() }
  } catch (thrown) {
    return { why: sentenceOf(thrown) }
  }
}

function sentenceOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown).slice(0, 200)
  } catch {
    return "it throws"
  }
}

/** `GET /users/{id}` in its parts, or `null` when it is none. */
export function readRoute(http: string): HttpRoute | null {
  const match = /^(GET|POST|PUT|PATCH|DELETE) (\/(?:[\w.~-]+|\{\w+\})?(?:\/(?:[\w.~-]+|\{\w+\}))*)$/.exec(http)
  if (!match) return null
  const params = [...match[2]!.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!)
  return new Set(params).size === params.length ? { verb: match[1] as Verb, pattern: match[2]!, params } : null
}

/** Reads a declaration once; `null` with findings when its schemas cannot be used. */
export function readOperation({ path, declaration }: Named, defaults: Defaults, findings: Finding[]): Operation | null {
  const { contract, backend, at } = declaration
  const shapes = { input: shapeOf(contract.input, "input"), output: shapeOf(contract.output, "output") }
  for (const side of ["input", "output"] as const) {
    const shape = shapes[side]
    if (typeof shape === "string")
      findings.push(finding("TRS1007", at, `${path}: its ${side} schema has no JSON form: ${shape}`, schemaFix(side)))
  }
  if (typeof shapes.input === "string" || typeof shapes.output === "string") return null
  const route = contract.http === undefined ? null : readRoute(contract.http)
  const isSilent = contract.output === nothing
  const placeholder = backend === null ? { why: "a contract without a backend answers from its examples" } : backend.plan.placeholder
  const hasLongBody = (shapes.input.file ?? shapes.output.file ?? shapes.output.items) !== undefined
  let hash: string | null = null
  return {
    path,
    declaration,
    effect: contract.effect ?? (route?.verb === "GET" ? "read" : "write"),
    repeat: contract.repeat ?? (route?.verb === "POST" || route?.verb === "PATCH" || !route ? "none" : "natural"),
    deadlineMs: parseDuration(contract.deadline) ?? (hasLongBody ? BODY_DEADLINE_MS : (parseDuration(defaults.deadline) ?? DEADLINE_MS)),
    route,
    input: shapes.input,
    output: shapes.output,
    isSilent,
    status: isSilent ? 204 : (contract.status ?? (route?.verb === "POST" ? 201 : 200)),
    errors: contract.errors ?? {},
    isPublic: rulesOf(contract.allow).some((rule) => typeof rule !== "function" && (rule as BuiltInAccess).kind === "anyone"),
    state: placeholder ? "placeholder" : "wired",
    why: placeholder?.why ?? null,
    // On demand: most starts never ask for it.
    get contractHash() {
      hash ??= contractHashOf(this)
      return hash
    },
    retiring: retiringOf(contract.deprecated),
  }
}

export function rulesOf(allow: Rule<any> | readonly Rule<any>[] | undefined): readonly Rule<any>[] {
  if (allow === undefined) return []
  return Array.isArray(allow) ? allow : [allow as Rule<any>]
}

function shapeOf(schema: Std, side: "input" | "output"): Shape | string {
  if (!isSchema(schema)) return "it is not a Standard Schema"
  const shape = compileShape(schema, side)
  return "why" in shape ? shape.why : shape
}

function schemaFix(side: string): string {
  return side === "output"
    ? "For no answer at all write `output: nothing`; for a date `z.iso.datetime()` or a codec to Date; for anything else a schema that `z.toJSONSchema` takes."
    : "For a date write `z.iso.datetime()` or a codec to Date; for no input `z.object({})`; for anything else a schema that `z.toJSONSchema` takes."
}
