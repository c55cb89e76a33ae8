import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { secretFields } from "../contract/secret-fields.ts"
import { finding } from "./findings.ts"

/** `repeat: "key"`: whether there is an answer that can be remembered, and given again to whoever shows the key. */
export function checkKeys({ path, declaration, effect, repeat, input, output, isPublic }: Operation, findings: Finding[]): void {
  if (repeat !== "key") return
  const { at } = declaration
  if (effect === "read") {
    const fix = 'Remove `repeat: "key"`: a read may always be repeated, and is answered anew each time.'
    findings.push(finding("TRS1050", at, `${path} reads, so a key has no effect to protect`, fix))
  }
  if (input.file || output.file || output.items) {
    const what = input.file
      ? "its input comes piece by piece, and cannot be compared"
      : "its answer comes piece by piece, and is given once"
    const fix = 'repeat: "none",   or take the file in an operation of its own and name it in this one by its id.'
    findings.push(finding("TRS1050", at, `${path} has a key, but ${what}`, fix))
  }
  if (!isPublic) return
  for (const { name, isRequired } of secretFields(output.json)) {
    if (!isRequired) continue
    const message = `${path}: the secret field ${name} is left out when its answer is given again, and the output requires it`
    findings.push(finding("TRS1051", at, message, `${name}: z.string().meta({ format: "password" }).optional(),`))
  }
}
