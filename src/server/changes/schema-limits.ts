import type { JsonSchema } from "../../contract/schema.ts"
import type { Difference } from "./schema-differences.ts"

type Node = JsonSchema

/** Keywords that allow less the larger they are, and those that allow less the smaller they are. */
const LOWER = ["minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum"]
const UPPER = ["maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum"]

export function limitDifferences(sub: Node, sup: Node): Difference[] {
  const found: Difference[] = []
  const differ = (keyword: string): void =>
    void found.push({ kind: "limit", path: "", sub: keywordText(sub, keyword), sup: keywordText(sup, keyword) })
  const isTighter = (keyword: string, isWithin: (own: number, limit: number) => boolean): boolean => {
    const limit = sup[keyword]
    const own = sub[keyword]
    return typeof limit === "number" && !isVoid(keyword, limit, sub) && !(typeof own === "number" && isWithin(own, limit))
  }
  for (const keyword of LOWER) if (isTighter(keyword, (own, limit) => own >= limit)) differ(keyword)
  for (const keyword of UPPER) if (isTighter(keyword, (own, limit) => own <= limit)) differ(keyword)
  if (isTighter("multipleOf", (own, limit) => Number.isInteger(own / limit))) differ("multipleOf")
  return found
}

/** A limit that every value of the type keeps anyway, or that an exclusive limit beside it implies. */
function isVoid(keyword: string, limit: number, sub: Node): boolean {
  if (keyword === "minimum") return typeof sub.exclusiveMinimum === "number" && sub.exclusiveMinimum >= limit
  if (keyword === "maximum") return typeof sub.exclusiveMaximum === "number" && sub.exclusiveMaximum <= limit
  if (keyword === "exclusiveMinimum") return typeof sub.minimum === "number" && sub.minimum > limit
  if (keyword === "exclusiveMaximum") return typeof sub.maximum === "number" && sub.maximum < limit
  return LOWER.includes(keyword) && limit <= 0
}

/** What decides whether a value fits, and is compared as it stands. */
const AS_IT_STANDS = [
  "pattern",
  "format",
  "contentEncoding",
  "contentMediaType",
  "uniqueItems",
  "not",
  "if",
  "then",
  "else",
  "contains",
  "propertyNames",
  "patternProperties",
  "dependentSchemas",
  "dependentRequired",
]

export function otherDifferences(sub: Node, sup: Node): Difference[] {
  const differing = AS_IT_STANDS.filter(
    (keyword) => sup[keyword] !== undefined && JSON.stringify(sub[keyword]) !== JSON.stringify(sup[keyword]),
  )
  return differing.map((keyword) => ({ kind: "other", path: "", sub: keywordText(sub, keyword), sup: keywordText(sup, keyword) }))
}

function keywordText(node: Node, keyword: string): string {
  return node[keyword] === undefined ? `any ${keyword}` : `${keyword} ${JSON.stringify(node[keyword])}`
}
