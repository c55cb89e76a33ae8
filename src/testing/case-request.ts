import { broken, type Subject, takesBody } from "./case-subject.ts"
import type { SampleFile } from "./sample-stream.ts"

/** A request in its parts, so that a case can spoil one of them. */
export interface CaseRequest {
  readonly method: string
  readonly path: string
  query: Record<string, unknown>
  /** `undefined` sends none. */
  body: unknown
  /** Sent as the body. */
  file?: SampleFile
}

/** The request that carries an input to the operation's own address. */
export function requestFor(subject: Subject, input: unknown): CaseRequest {
  const { path, route } = subject.operation
  const fields = typeof input === "object" && input !== null && !Array.isArray(input) ? (input as Record<string, unknown>) : {}
  const target = route!.pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = fields[name]
    if (typeof value === "object" || value === undefined || value === "")
      broken(
        `${path}: {${name}} in its path has no value that an address can carry; give it one: examples: [{ input: { ... }, output: { ... } }],`,
      )
    return encodeURIComponent(String(value))
  })
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !route!.params.includes(name)))
  if (subject.operation.input.file) {
    const { file, ...others } = rest
    return { method: route!.verb, path: target, query: onlyAddressable(others, subject), body: undefined, file: file as SampleFile }
  }
  if (!takesBody(subject)) return { method: route!.verb, path: target, query: onlyAddressable(rest, subject), body: undefined }
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input)
  return { method: route!.verb, path: target, query: {}, body: isObject ? rest : input }
}

export function urlOf({ path, query }: CaseRequest): string {
  const fields = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const item of Array.isArray(value) ? value : [value]) fields.append(name, String(item))
  const text = fields.toString()
  return text === "" ? path : `${path}?${text}`
}

/** A query carries scalars and lists of them; what else there is must be optional. */
function onlyAddressable(fields: Record<string, unknown>, { operation }: Subject): Record<string, unknown> {
  const isScalar = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value)
  const kept = Object.entries(fields).filter(([name, value]) => {
    if (isScalar(value) || (Array.isArray(value) && value.every(isScalar))) return true
    if (operation.input.json.required?.includes(name))
      broken(`${operation.path}: ${name} is required and has no value that a query can carry; make it a scalar, or optional, or use POST`)
    return false
  })
  return Object.fromEntries(kept)
}
