import type { Backend } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { issuesText } from "../errors/trestle-error.ts"
import { finding } from "./findings.ts"

/** Placeholders, values and examples against the contract they stand in. Asynchronous schemas can only be checked in the call. */
export function checkSamples(operation: Operation, parts: readonly Backend<any, any, any>[], findings: Finding[]): void {
  const { contract, at } = operation.declaration
  const examples = contract.examples ?? []
  const complain = (what: string, check: ReturnType<Operation["output"]["check"]>): void => {
    if (check instanceof Promise) return ignored(check)
    if (!("issues" in check)) return
    const message = `${operation.path}: ${what} does not fit its own contract: ${issuesText(check.issues)}`
    findings.push(finding("TRS1008", at, message, "Correct the answer, or the schema."))
  }
  const complainOfItems = (what: string, items: unknown): void => {
    const { items: item } = operation.output
    if (!item || !Array.isArray(items)) return
    for (const [i, one] of items.entries()) complain(`item ${i} in ${what}`, item.check(one))
  }
  examples.forEach((example, i) => {
    complain(`the input of example ${i + 1}`, operation.input.check(example.input))
    complain(`the output of example ${i + 1}`, operation.output.check(example.output))
    complainOfItems(`the output of example ${i + 1}`, example.output)
  })
  if (contract.verify) complain("the input of verify", operation.input.check(contract.verify.input))
  for (const { kind, plan } of parts) {
    for (const sample of plan.samples ?? []) {
      complain(`the answer of ${kind}()`, operation.output.check(sample))
      complainOfItems(`the answer of ${kind}()`, sample)
    }
    const { sampleFor } = plan
    if (!sampleFor) continue
    examples.forEach((example, i) => {
      complain(`the answer of ${kind}() for example ${i + 1}`, sampled(sampleFor, example.input, operation))
    })
  }
}

/** A rejection that nobody awaits would end the process. */
function ignored(promise: Promise<unknown>): void {
  promise.catch(() => undefined)
}

function sampled(sampleFor: (input: unknown) => unknown, input: unknown, operation: Operation): ReturnType<Operation["output"]["check"]> {
  const checked = operation.input.check(input)
  if (checked instanceof Promise) ignored(checked)
  if (checked instanceof Promise || "issues" in checked) return { value: undefined }
  try {
    return operation.output.check(sampleFor(checked.value))
  } catch (error) {
    return { issues: [{ path: "", message: `it threw: ${(error as Error).message}` }] }
  }
}
