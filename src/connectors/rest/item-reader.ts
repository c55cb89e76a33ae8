import { readJson } from "../../base/json.ts"
import { failure } from "../../contract/failure.ts"
import { mappingNote } from "../../contract/mapping.ts"
import type { WireStream } from "../../contract/ports.ts"
import type { Std } from "../../contract/schema.ts"
import type { ItemsOptions } from "./answer.ts"
import type { AnswerBody } from "./answer-body.ts"
import { elementsIn, ItemsUnreadable, linesIn } from "./json-items.ts"
import { ANSWER_DEPTH_MAX, drifted, type ReplyRules, unreadable } from "./reply.ts"

const LINES = /^application\/(?:x-)?(?:ndjson|jsonl|json-lines)\b/i

/** The items of an answer as it comes: parsed, checked by `response`, mapped, one after the other. */
export async function* answerItems(
  { headers }: Pick<WireStream, "headers">,
  body: AnswerBody,
  { response, map, at }: ItemsOptions<any, any>,
  rules: ReplyRules,
): AsyncGenerator<unknown, void, undefined> {
  const type = [headers["content-type"]].flat()[0] ?? ""
  const texts = LINES.test(type) ? linesIn(body) : elementsIn(body, at)
  let index = 0
  try {
    for await (const text of texts) {
      const item = readJson(text, ANSWER_DEPTH_MAX)
      if ("refused" in item) throw unreadable(rules, `item ${index}: ${item.message}`)
      const theirs = response ? await checked(item.value, response, rules, index) : item.value
      yield map ? mapped(map, theirs, rules, index) : theirs
      index++
    }
  } catch (error) {
    throw error instanceof ItemsUnreadable ? unreadable(rules, error.message) : error
  }
}

async function checked(item: unknown, response: Std, rules: ReplyRules, index: number): Promise<unknown> {
  const result = await response["~standard"].validate(item)
  if (!result.issues) return result.value
  throw drifted(result.issues.slice(0, 1), response, rules, `item ${index} of its answer`)
}

function mapped(map: (item: any) => unknown, theirs: unknown, { service, effect }: ReplyRules, index: number): unknown {
  try {
    return map(theirs)
  } catch (cause) {
    throw failure("answer-not-mapped", effect, {
      cause,
      note: `${service}: item ${index} of its answer: ${mappingNote(cause, "map threw on it")}`,
    })
  }
}
