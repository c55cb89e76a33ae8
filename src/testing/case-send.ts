import { bodyOf } from "../contract/file-body.ts"
import type { Principal } from "../contract/principal.ts"
import { callerFor } from "./case-caller.ts"
import { type CaseRequest, requestFor, urlOf } from "./case-request.ts"
import { answerOf, inputOf, type Subject } from "./case-subject.ts"
import type { TestApp } from "./test-app.ts"

/** Everything for one good call of the operation; a case spoils one thing of it. */
export interface GoodCall {
  readonly input: unknown
  /** What the replaced backend answers. */
  readonly answer: unknown
  readonly principal: Principal | null
  readonly request: CaseRequest
}

export interface SendOptions {
  /** Default: the good call's. `null`: no credentials. */
  readonly as?: Principal | null
  readonly headers?: Record<string, string>
  /** Text in the place of the JSON body. */
  readonly text?: string
}

/** Prepares a good call, and puts an answer in the place of the backend, and the caller's own object in that of the owner's loading. */
export async function prepare(
  t: TestApp<any>,
  subject: Subject,
  given: { input?: unknown; isBackendKept?: boolean } = {},
): Promise<GoodCall> {
  const { op, operation } = subject
  const input = Object.hasOwn(given, "input") ? given.input : await inputOf(subject)
  const answer = await answerOf(operation)
  if (!given.isBackendKept) t.backend(op).replies(answer)
  const { owner } = operation.declaration.contract
  if (operation.isPublic && !owner) return { input, answer, principal: subject.caller ?? null, request: requestFor(subject, input) }
  const { principal, row } = await callerFor(subject, input)
  if (owner && owner.load !== op) t.backend(owner.load).replies(row)
  return { input, answer, principal, request: requestFor(subject, input) }
}

export async function send(t: TestApp<any>, { request, principal }: GoodCall, options: SendOptions = {}): Promise<Response> {
  const { as = principal, text, headers } = options
  const file = request.file && bodyOf(request.file)
  const body = text ?? (file ? await file.bytes() : request.body === undefined ? undefined : JSON.stringify(request.body))
  const type: Record<string, string> = body === undefined ? {} : { "content-type": file?.type ?? "application/json" }
  return t.http(`${request.method} ${urlOf(request)}`, {
    headers: { ...type, ...headers },
    ...(body === undefined ? {} : { body }),
    ...(as ? { as } : {}),
  })
}
