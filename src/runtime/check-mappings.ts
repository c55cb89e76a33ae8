import type { Backend } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { MappingFace } from "../contract/mapping.ts"
import type { Operation } from "../contract/operation.ts"
import { finding } from "./findings.ts"

const DRIFTS: readonly unknown[] = [undefined, "strict", "warn", "repair"]

/** Mappings that cannot work as they are declared, and a `drift` that changes nothing. */
export function checkMappings({ path, declaration }: Operation, parts: readonly Backend<any, any, any>[], findings: Finding[]): void {
  const { contract, at } = declaration
  if (!DRIFTS.includes(contract.drift))
    findings.push(finding("TRS1012", at, `${path}: drift is not "strict", "warn" or "repair"`, 'drift: "repair",'))
  const seen = new Set<string>()
  for (const face of parts.flatMap(({ plan }) => plan.mappings ?? [])) complain(path, face, seen, findings)
  const { drift } = contract
  if (drift === undefined || drift === "strict") return
  const isIgnored = parts.some(({ plan }) => plan.heedsDrift?.includes(drift) === false)
  const mayHeed = parts.some(({ plan }) => plan.heedsDrift?.includes(drift) ?? !(plan.parts || plan.placeholder || plan.samples))
  if (!isIgnored || mayHeed) return
  const message = `${path} has drift: "${drift}", and nothing in its backend heeds it`
  findings.push(finding("TRS1026", at, message, "Give the call a mapping: map: person.read, with person = mapping(Person, { ... })."))
}

/** A mapping used in several calls is wrong once. */
function complain(path: string, face: MappingFace, seen: Set<string>, findings: Finding[]): void {
  for (const mistake of face.mistakes) {
    const key = `${face.at?.file}:${face.at?.line}: ${mistake}`
    if (seen.has(key)) continue
    seen.add(key)
    findings.push(finding("TRS1025", face.at, `${path}: its mapping cannot work: ${mistake}`, "Correct the field where it is declared."))
  }
}
