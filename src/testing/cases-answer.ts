import { isStreamed } from "../runtime/streamed.ts"
import { expectProblem, expectSuccess } from "./case-expect.ts"
import { prepare, send } from "./case-send.ts"
import { answerSchema, broken, type Subject, wrongValueFor } from "./case-subject.ts"
import type { PlannedCase } from "./contract-cases.ts"
import { TestFailure } from "./test-failure.ts"

/** Stands in wrong answers, and must never come out. */
const CANARY = "test-canary-3f0b8c9a"

/** What comes out: what the contract says, or an error that gives nothing away. */
export function answerCases(subject: Subject): PlannedCase[] {
  const { operation } = subject
  if (!operation.route) return []
  const wrong = operation.isSilent ? { [CANARY]: CANARY } : wrongAnswer(subject)
  return [...(wrong === undefined ? [] : [misfit(wrong)]), throwing, ...(operation.state === "placeholder" ? [placeholder] : [])]
}

function misfit(wrong: unknown): PlannedCase {
  return {
    promise: "an answer that does not fit → an error, and not a word of the answer",
    see: async (t, subject) => {
      const good = await prepare(t, subject)
      t.backend(subject.op).replies(wrong)
      await expectNothingLeaks(await send(t, good), subject)
    },
  }
}

const throwing: PlannedCase = {
  promise: "a backend that throws → an error, and not a word of what it threw",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    t.backend(subject.op).replies(() => {
      throw new TestFailure(CANARY)
    })
    await expectNothingLeaks(await send(t, good), subject)
  },
}

const placeholder: PlannedCase = {
  promise: "its placeholder's answer fits",
  see: async (t, subject) => {
    const good = await prepare(t, subject, { isBackendKept: true })
    const response = await send(t, good)
    if (!isStreamed(subject.operation)) return expectSuccess(response, subject.operation.status, null)
    const { status } = subject.operation
    if (response.status !== status || (await response.arrayBuffer()) === null) broken(`expected ${status}, got ${response.status}`)
  },
}

/** A write that went wrong after it was begun may have been done, and says so. */
async function expectNothingLeaks(response: Response, { operation }: Subject): Promise<void> {
  const heard = (await response.clone().text()) + JSON.stringify([...response.headers])
  if (heard.includes(CANARY)) broken(`the response gives away what the backend said: ${heard}`)
  await expectProblem(response, { code: operation.effect === "write" ? "OUTCOME_UNKNOWN" : "INTERNAL" })
}

function wrongAnswer({ operation }: Subject): unknown {
  const schema = answerSchema(operation.declaration)
  return wrongValueFor(schema, schema, CANARY)
}
