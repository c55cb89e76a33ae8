import { isStreamed } from "../runtime/streamed.ts"
import { expectProblem, expectSuccess } from "./case-expect.ts"
import type { CaseRequest } from "./case-request.ts"
import { type GoodCall, prepare, send } from "./case-send.ts"
import { expectStreamed } from "./case-stream.ts"
import { broken, fieldsOf, refusesUnknown, type Subject, takesBody, UNKNOWN_FIELD, wrongValueFor } from "./case-subject.ts"
import { entranceCases } from "./cases-entrance.ts"
import type { PlannedCase } from "./contract-cases.ts"
import type { TestApp } from "./test-app.ts"

/** What goes in: accepted where it fits, refused with the field's name where it does not. */
export function inputCases(subject: Subject): PlannedCase[] {
  const { operation } = subject
  if (!operation.route) return [...acceptedInProcess(subject)]
  return [
    ...accepted(subject),
    ...(refusesUnknown(subject) && !(operation.input.json.type === "null" && takesBody(subject)) ? [unknownField] : []),
    ...fieldsOf(subject).flatMap(([name]) => missing(subject, name)),
    ...fieldsOf(subject).flatMap(([name]) => wrongType(subject, name)),
    ...(operation.input.file ? [noFile, ...(operation.input.file.types.length > 0 ? [otherType] : [])] : []),
    ...entranceCases(subject),
  ]
}

function accepted({ operation }: Subject): PlannedCase[] {
  const examples = operation.declaration.contract.examples ?? []
  const see = async (t: TestApp<any>, subject: Subject, example?: { input: unknown; output: unknown }): Promise<void> => {
    const good = await prepare(t, subject, example ? { input: example.input } : {})
    const answer = example ? example.output : good.answer
    t.backend(subject.op).replies(answer)
    const checked = await operation.output.check(answer)
    if ("issues" in checked) return broken(`the answer does not fit: ${JSON.stringify(checked.issues)}`)
    const response = await send(t, good)
    if (isStreamed(operation)) await expectStreamed(response, operation, checked.value)
    else await expectSuccess(response, operation.status, operation.isSilent ? null : checked)
  }
  if (examples.length === 0)
    return [{ promise: "an input made from its schema → accepted, and answered with its own status", see: (t, subject) => see(t, subject) }]
  return examples.map((example, i) => ({
    promise: `example ${i + 1} → accepted, and answered with its own status`,
    see: (t: TestApp<any>, subject: Subject) => see(t, subject, example),
  }))
}

/** Without an entrance, only what an example promises can be seen. */
function acceptedInProcess({ operation, op }: Subject): PlannedCase[] {
  return (operation.declaration.contract.examples ?? []).map((example, i) => ({
    promise: `example ${i + 1} → accepted in process, and its answer fits`,
    see: async (t) => {
      t.backend(op).replies(example.output)
      const call = operation.path.split(".").reduce<any>((place, key) => place[key], t.internal())
      await call(example.input)
    },
  }))
}

const noFile: PlannedCase = {
  promise: "no file → 400 that names it",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    delete good.request.file
    await expectProblem(await send(t, good), { code: "INVALID", naming: "file" })
  },
}

const otherType: PlannedCase = {
  promise: "a file of another type → 415",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    const response = await send(t, good, { headers: { "content-type": "application/x-trestle-test" } })
    await expectProblem(response, { code: "UNSUPPORTED_MEDIA_TYPE" })
  },
}

const unknownField: PlannedCase = {
  promise: "an unknown field → 400 that names it",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    fieldsIn(good.request, subject)[UNKNOWN_FIELD] = "x"
    await expectProblem(await send(t, good), { code: "INVALID", naming: UNKNOWN_FIELD })
  },
}

function missing({ operation }: Subject, name: string): PlannedCase[] {
  if (!operation.input.json.required?.includes(name) || operation.route!.params.includes(name)) return []
  return [
    {
      promise: `${name} is missing → 400 that names it`,
      see: async (t, subject) => {
        const good = await prepare(t, subject)
        delete fieldsIn(good.request, subject)[name]
        await expectProblem(await send(t, good), { code: "INVALID", naming: name })
      },
    },
  ]
}

function wrongType(subject: Subject, name: string): PlannedCase[] {
  const { json } = subject.operation.input
  const isInPath = subject.operation.route!.params.includes(name)
  const wrong = takesBody(subject) && !isInPath ? wrongValueFor(json.properties![name]!, json) : wrongText(subject, name)
  if (wrong === undefined) return []
  return [
    {
      promise: `${name} has a wrong type → 400 that names it`,
      see: async (t, one) => {
        const good = await prepare(t, one)
        const spoilt = isInPath ? inPath(good, one, name, String(wrong)) : good
        if (!isInPath) fieldsIn(good.request, one)[name] = wrong
        await expectProblem(await send(t, spoilt), { code: "INVALID", naming: name })
      },
    },
  ]
}

/** Addresses carry only text: it is wrong where the schema takes no text, or only certain ones. */
function wrongText({ operation }: Subject, name: string): string | undefined {
  const { json } = operation.input
  const node = json.properties![name]!
  const text = "not-what-is-meant"
  if (wrongValueFor(node, json, text) === undefined) return undefined
  const takesNoText =
    !JSON.stringify(node).includes('"string"') && node.$ref === undefined && node.enum === undefined && node.const === undefined
  const isListed = node.enum !== undefined && !node.enum.includes(text)
  return takesNoText || isListed ? text : undefined
}

function inPath(good: GoodCall, { operation }: Subject, name: string, wrong: string): GoodCall {
  const segments = operation.route!.pattern.split("/")
  const path = good.request.path
    .split("/")
    .map((segment, i) => (segments[i] === `{${name}}` ? wrong : segment))
    .join("/")
  return { ...good, request: { ...good.request, path } }
}

/** Where the request carries its fields, path parameters aside. */
function fieldsIn(request: CaseRequest, subject: Subject): Record<string, unknown> {
  if (!takesBody(subject)) return request.query
  request.body ??= {}
  if (typeof request.body !== "object") broken(`${subject.operation.path}: its body has no fields`)
  return request.body as Record<string, unknown>
}
