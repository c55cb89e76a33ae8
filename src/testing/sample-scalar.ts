import type { JsonSchema } from "../contract/schema.ts"
import { sampleOfPattern } from "./sample-pattern.ts"

/** Nothing was found that the schema takes; `message` says where. */
export class NoSample extends Error {
  override readonly name = "NoSample"
}

const FORMATS: Readonly<Record<string, string>> = {
  email: "sample@example.com",
  uuid: "3f0b8c9a-5d1e-4b7a-9c2d-6e8f1a2b3c4d",
  "date-time": "2026-01-01T12:00:00Z",
  date: "2026-01-01",
  time: "12:00:00",
  duration: "P1D",
  uri: "https://example.com/",
  url: "https://example.com/",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
}

/** A text of the right format, pattern and length. */
export function sampleText(node: JsonSchema, path: string): string {
  const { format, pattern, minLength, maxLength } = node as { format?: string; pattern?: string; minLength?: number; maxLength?: number }
  const fits = (value: string): boolean =>
    value.length >= (minLength ?? 0) &&
    value.length <= (maxLength ?? Number.POSITIVE_INFINITY) &&
    (pattern === undefined || matches(pattern, value))
  const plain = "sample".padEnd(minLength ?? 0, "x").slice(0, maxLength ?? undefined)
  const known = format === undefined ? undefined : FORMATS[format]
  const made = pattern === undefined ? null : sampleOfPattern(pattern)
  const found = [known, plain, made].find((value) => typeof value === "string" && fits(value))
  if (typeof found !== "string")
    throw new NoSample(`${path || "the whole"}: no text is found for ${pattern ? `the pattern ${pattern}` : "its length"}`)
  return found
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value)
  } catch {
    return new RegExp(pattern).test(value)
  }
}

/** A number within its limits; 1 where nothing speaks against it. */
export function sampleNumber(node: JsonSchema, isInteger: boolean, path: string): number {
  const limits = node as { minimum?: number; maximum?: number; exclusiveMinimum?: number; exclusiveMaximum?: number; multipleOf?: number }
  const {
    minimum = Number.NEGATIVE_INFINITY,
    maximum = Number.POSITIVE_INFINITY,
    exclusiveMinimum: above = Number.NEGATIVE_INFINITY,
  } = limits
  const { exclusiveMaximum: below = Number.POSITIVE_INFINITY, multipleOf: step } = limits
  const middle = (Math.max(minimum, above) + Math.min(maximum, below)) / 2
  const inSteps = step === undefined ? [] : [minimum, above + step, maximum].map((limit) => Math.ceil(limit / step) * step)
  const candidates = [
    1,
    0,
    ...inSteps,
    step ?? 1,
    minimum,
    maximum,
    Math.ceil(above) + 1,
    Math.floor(above) + 1,
    Math.ceil(below) - 1,
    middle,
    Math.floor(middle),
  ]
  const found = candidates.find(
    (value) =>
      Number.isFinite(value) &&
      value >= minimum &&
      value <= maximum &&
      value > above &&
      value < below &&
      (!isInteger || Number.isSafeInteger(value)) &&
      (step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9),
  )
  if (found === undefined) throw new NoSample(`${path || "the whole"}: no number lies within its limits`)
  return found
}
