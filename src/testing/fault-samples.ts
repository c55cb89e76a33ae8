import type { Operation } from "../contract/operation.ts"
import { jsonSchemaOf, type Std } from "../contract/schema.ts"
import type { Samples } from "../contract/stand-in.ts"
import { answerOf } from "./case-subject.ts"
import { sampleFromSchema } from "./sample-from-schema.ts"
import { TestFailure } from "./test-failure.ts"

/** What an operation's own examples and schemas give, for the stand-ins of its services. */
export class OperationSamples implements Samples {
  readonly #operation: Operation

  constructor(operation: Operation) {
    this.#operation = operation
  }

  answer(): Promise<unknown> {
    return answerOf(this.#operation)
  }

  async item(): Promise<unknown> {
    const answer = await this.answer()
    if (Array.isArray(answer) && answer.length > 0) return answer[0]
    throw new TestFailure(`${this.#operation.path}: its answer is no list with an item in it`)
  }

  /** All of it, else only what must be there: a rule without a JSON form may refuse the one and take the other. */
  async of(schema: Std): Promise<unknown> {
    const found = jsonSchemaOf(schema, "input")
    if ("why" in found) throw new TestFailure(found.why)
    for (const isSmall of [false, true]) {
      const sample = sampleFromSchema(found.json, { isSmall })
      const checked = await schema["~standard"].validate(sample)
      if (!checked.issues) return sample
    }
    throw new TestFailure('no sample of its `response` fits it: give its fields examples, as in z.string().meta({ examples: ["..."] })')
  }
}
