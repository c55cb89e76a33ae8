import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { type JsonSchema, nothing, targetOf, typesOf } from "../contract/schema.ts"
import { finding } from "./findings.ts"

/** `id`, `userId`, `user_id`, `ids`: a field whose value picks one of somebody's objects. */
const OBJECT_NAME = /^(?:id|ids|uuid|guid)$|(?:Id|Ids|ID|_id|_ids|Uuid|_uuid)$/

export function checkInput(operation: Operation, findings: Finding[]): void {
  const { path, route, input, declaration } = operation
  if (!route) return
  const { contract, at } = declaration
  const isObject =
    input.json.type === "object" || input.json.properties !== undefined || (input.json.anyOf ?? input.json.oneOf) !== undefined
  if (!isObject && contract.input !== nothing && (route.params.length > 0 || route.verb === "GET" || route.verb === "DELETE")) {
    findings.push(
      finding(
        "TRS1015",
        at,
        `${path}: the input of ${route.verb} ${route.pattern} is not an object`,
        `input: z.object({ ${route.params.map((name) => `${name}: z.string()`).join(", ")} }),`,
      ),
    )
    return
  }
  if (route.verb === "GET" || route.verb === "DELETE") checkDepth(operation, route, findings)
  for (const name of route.params) {
    if (!fieldsWithin(input.json).has(name))
      findings.push(
        finding(
          "TRS1004",
          at,
          `${path}: {${name}} in ${route.pattern} is not a field of the input`,
          `input: z.object({ ${name}: z.string(), ... }),`,
        ),
      )
  }
  checkOwned(operation, route, findings)
}

type Route = NonNullable<Operation["route"]>

/** Path and query carry plain values, and lists of them. */
function checkDepth({ path, input, declaration: { at } }: Operation, route: Route, findings: Finding[]): void {
  const deep = fieldsOf(input.json, input.json).filter(([, schema]) => isDeep(schema, input.json))
  for (const [name] of deep)
    findings.push(
      finding(
        "TRS1015",
        at,
        `${path}: the field ${name} holds objects, which ${route.verb} ${route.pattern} cannot carry in its path and query`,
        `http: "POST ${route.pattern}", or single fields instead of ${name}: z.object({ ... })`,
      ),
    )
}

function checkOwned({ path, input, declaration: { contract, at } }: Operation, route: Route, findings: Finding[]): void {
  const fields = Object.keys(input.json.properties ?? {})
  const naming = fields.filter((name) => OBJECT_NAME.test(name) || route.params.includes(name))
  if (naming.length > 0 && !contract.owner && contract.anyObject === undefined) {
    const fix = `owner: { load: getIt, is: (row, who) => row.id === who.id },   or the reason why any will do:   anyObject: "recruiters see everybody",`
    findings.push(
      finding("TRS1005", at, `${path}: the input names an object (${naming.join(", ")}) and nothing says whose it must be`, fix),
    )
  }
}

/** The schema and all that hold with it or instead of it. */
function partsOf(schema: JsonSchema, root: JsonSchema, seen = new Set<JsonSchema>()): JsonSchema[] {
  if (typeof schema !== "object" || seen.has(schema)) return []
  seen.add(schema)
  const more = [...targetOf(schema, root), ...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  return [schema, ...more.flatMap((part) => partsOf(part, root, seen))]
}

function fieldsOf(schema: JsonSchema, root: JsonSchema): [string, JsonSchema][] {
  return [...new Map(partsOf(schema, root).flatMap((part) => Object.entries(part.properties ?? {})))]
}

/** Some value of it is an object, or a list of what is no plain value. */
function isDeep(schema: JsonSchema, root: JsonSchema): boolean {
  const isOf = (part: JsonSchema, types: readonly string[]): boolean =>
    typesOf(part).some((type) => types.includes(type)) || part.properties !== undefined
  return partsOf(schema, root).some((part) => {
    const items = [...(part.prefixItems ?? []), ...(typeof part.items === "object" ? [part.items] : [])]
    return isOf(part, ["object"]) || items.some((item) => partsOf(item, root).some((inner) => isOf(inner, ["object", "array"])))
  })
}

/** Properties of an object schema, those of its alternatives included. */
function fieldsWithin(json: Operation["input"]["json"]): Set<string> {
  const parts = [...(json.anyOf ?? []), ...(json.oneOf ?? []), ...(json.allOf ?? [])]
  return new Set([...Object.keys(json.properties ?? {}), ...parts.flatMap((part) => [...fieldsWithin(part)])])
}
