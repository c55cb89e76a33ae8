import { parseDuration } from "../base/duration.ts"
import type { Finding } from "../contract/finding.ts"
import { type Declaration, declarationOf, isOp, type Op, type Verb } from "../contract/op.ts"
import type { HttpRoute, Operation } from "../contract/operation.ts"
import { DEADLINE_MS, type Defaults } from "../contract/policy.ts"
import type { BuiltInAccess, Rule } from "../contract/principal.ts"
import { isSchema, nothing, type Std } from "../contract/schema.ts"
import { compileShape, type Shape } from "../contract/shape.ts"
import { finding } from "./findings.ts"

/** An operation as the application holds it: its path and its declaration. */
export interface Named {
  readonly path: string
  readonly op: Op<any, any, any, any, any>
  readonly declaration: Declaration
}

/** Names that a caller object, a promise or a plain object already gives a meaning to. */
const RESERVED_NAMES = new Set(["then", "constructor", "prototype", "__proto__", "toJSON", "safe", "detailed"])

/** Walks the tree of operations; the key path is the name. */
export function collectOperations(ops: unknown, findings: Finding[], prefix = ""): Named[] {
  const named: Named[] = []
  for (const [key, value] of Object.entries(ops as object)) {
    const path = prefix === "" ? key : `${prefix}.${key}`
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(key) || RESERVED_NAMES.has(key)) {
      findings.push(
        finding(
          "TRS1013",
          null,
          `ops: "${path}" cannot be the name of an operation`,
          "Use letters, digits and _, beginning with a letter, and none of JavaScript's own names.",
        ),
      )
    } else if (isOp(value)) named.push({ path, op: value, declaration: declarationOf(value) })
    else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype)
      named.push(...collectOperations(value, findings, path))
    else
      findings.push(
        finding(
          "TRS1013",
          null,
          `ops: ${path} is neither an operation nor a group of operations`,
          `Declare it: ${key}: op({ ... }).via(...)`,
        ),
      )
  }
  return named
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
  const stub = backend === null ? { why: "a contract without a backend answers from its examples" } : backend.plan.placeholder
  return {
    path,
    declaration,
    effect: contract.effect ?? (route?.verb === "GET" ? "read" : "write"),
    repeat: contract.repeat ?? (route?.verb === "POST" || route?.verb === "PATCH" || !route ? "none" : "natural"),
    deadlineMs: parseDuration(contract.deadline) ?? parseDuration(defaults.deadline) ?? DEADLINE_MS,
    route,
    input: shapes.input,
    output: shapes.output,
    isSilent,
    status: contract.status ?? (isSilent ? 204 : route?.verb === "POST" ? 201 : 200),
    errors: contract.errors ?? {},
    isPublic: rulesOf(contract.allow).some((rule) => typeof rule !== "function" && (rule as BuiltInAccess).kind === "anyone"),
    state: stub ? "placeholder" : "wired",
    why: stub?.why ?? null,
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
