import { fileNameIn } from "../../base/content-disposition.ts"
import type { Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { failure } from "../../contract/failure.ts"
import { Body, UNKNOWN_TYPE } from "../../contract/file-body.ts"
import { boundMap, faceOf, mappingNote } from "../../contract/mapping.ts"
import type { WireReply, WireStream } from "../../contract/ports.ts"
import type { Std } from "../../contract/schema.ts"
import type { Attempt } from "../../contract/service.ts"
import { issueOf, type SchemaIssue } from "../../contract/shape.ts"
import type { ItemsOptions } from "./answer.ts"
import { AnswerBody } from "./answer-body.ts"
import type { CallSpec } from "./index.ts"
import { answerItems } from "./item-reader.ts"
import { answerIn, drifted, type ReplyRules, refuseCompressed } from "./reply.ts"

/** Makes our value of a service's success. */
export type Reader<R> = (reply: R, input: unknown, attempt: Attempt) => unknown

/** Reply → their value → checked by `response` → mapped → checked by the contract. */
export function readerOf(spec: CallSpec<any, any, any, string>, rules: ReplyRules, site: Site): Reader<WireReply> | Reader<WireStream> {
  const { service, effect } = rules
  const toOurs = boundMap(spec.map)
  const map = (theirs: unknown, input: unknown, call: CallContext): unknown => {
    let ours: unknown
    try {
      ours = toOurs(theirs, input, call)
    } catch (cause) {
      throw failure("answer-not-mapped", effect, { cause, note: `${service}: ${mappingNote(cause, "map threw on its answer")}` })
    }
    return site.accept(ours, call, service)
  }
  const { response, answer } = spec
  if (answer && answer.kind !== "text") return streamReader(answer, map, rules)
  const theirsIn = answer ? textIn : answerIn
  const plain: Reader<WireReply> = (reply, input, { call }) => map(theirsIn(reply, rules), input, call)
  if (!response) return plain
  const checking: Reader<WireReply> = async (reply, input, { call }) => {
    const theirs = theirsIn(reply, rules)
    const checked = await response["~standard"].validate(theirs)
    if (!checked.issues) return map(checked.value, input, call)
    if (call.drift !== "warn") throw drifted(checked.issues, response, rules, "its answer")
    return map(passedOn(theirs, checked.issues, response, call), input, call)
  }
  return checking
}

/** With `drift: "warn"` what does not fit is passed on as it is, and told of: `map` and the contract's output have the last word. */
function passedOn(theirs: unknown, issues: readonly SchemaIssue[], response: Std, call: CallContext): unknown {
  for (const issue of issues) {
    const { path, message } = issueOf(issue, response["~standard"].vendor)
    call.noteRepair(`${path.replace(/(^|\.)\d+(?=\.|$)/g, "[]") || "(the whole)"}: ${message}; passed on as it is`)
  }
  return theirs
}

/** A mapping of single items hears of the call, as one of the whole does. */
function itemsOf(items: ItemsOptions<any, any>, call: CallContext): ItemsOptions<any, any> {
  const face = faceOf(items.map)
  return face ? { ...items, map: (item: unknown) => face.run(item, call) } : items
}

/** What comes piece by piece is given back to the service where it cannot be used. */
function streamReader(
  answer: NonNullable<CallSpec<any, any, any, string>["answer"]>,
  map: (theirs: unknown, input: unknown, call: CallContext) => unknown,
  rules: ReplyRules,
): Reader<WireStream> {
  return (reply, input, attempt) => {
    const body = new AnswerBody(reply, attempt, rules.service)
    try {
      refuseCompressed(reply, rules)
      return map(
        answer.kind === "file" ? fileOf(reply, body) : answerItems(reply, body, itemsOf(answer.items ?? {}, attempt.call), rules),
        input,
        attempt.call,
      )
    } catch (error) {
      body.close()
      throw error
    }
  }
}

function fileOf({ headers }: WireStream, body: AnswerBody): Body {
  const field = (name: string): string | undefined => [headers[name]].flat()[0]
  const length = field("content-length")
  return new Body(
    {
      name: fileNameIn(field("content-disposition")),
      type: field("content-type") ?? UNKNOWN_TYPE,
      size: length !== undefined && /^\d+$/.test(length) ? Number(length) : null,
    },
    () => body,
  )
}

function textIn(reply: WireReply, rules: ReplyRules): string {
  refuseCompressed(reply, rules)
  return reply.body
}
