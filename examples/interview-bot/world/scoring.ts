import type { Wait } from "./door.ts"
import { mark, type Verdict } from "./rubric.ts"
import { type Answer, type Asked, isObject, objectIn, type Site } from "./site.ts"

export type ScoringOptions = { key: string; now: () => number; random: () => number; wait: Wait }

const model = "demo-scorer-1"
const thinkingMsMin = 300
const thinkingMsMax = 900
const overloadedEvery = 7

/** A language model behind the chat-completions shape of OpenAI: slow, and overloaded now and then. */
export function scoringSite(options: ScoringOptions): Site {
  let requests = 0
  return {
    token: options.key,
    error,
    drift,
    routes: [
      { method: "GET", path: "/v1/models", answer: () => ({ status: 200, body: models(options.now()) }) },
      { method: "POST", path: "/v1/chat/completions", answer: (asked) => complete(asked, ++requests, options) },
    ],
  }
}

function error(status: number, code: string, message: string): Answer {
  const type = status < 500 ? "invalid_request_error" : "server_error"
  return { status, body: { error: { message, type, param: null, code: code.toLowerCase() } } }
}

function models(now: number): unknown {
  return { object: "list", data: [{ id: model, object: "model", created: seconds(now), owned_by: "demo-world" }] }
}

async function complete(asked: Asked, request: number, { now, random, wait }: ScoringOptions): Promise<Answer> {
  if (request % overloadedEvery === 0) return error(503, "OVERLOADED", "The engine is overloaded, please try again later.")
  const body = objectIn(asked.text)
  if (!body) return error(400, "BAD_BODY", "The body must be a JSON object.")
  if (body.stream === true) return error(400, "NO_STREAM", "stream is not offered here.")
  const message = lastUserMessage(body.messages)
  if (message === undefined) return error(400, "NO_USER_MESSAGE", "messages must hold a message of role user with text.")
  await wait(thinkingMsMin + random() * (thinkingMsMax - thinkingMsMin), asked.signal)
  const content = JSON.stringify(mark(message))
  return { status: 200, body: completion(`chatcmpl-${request}`, seconds(now()), content, usage(asked.text, content)) }
}

function lastUserMessage(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) return undefined
  const last = messages.findLast((message) => isObject(message) && message.role === "user")
  if (!Array.isArray(last?.content)) return typeof last?.content === "string" ? last.content : undefined
  const texts = last.content.filter((part: unknown) => isObject(part) && typeof part.text === "string")
  return texts.length ? texts.map((part: { text: string }) => part.text).join("\n") : undefined
}

function completion(id: string, created: number, content: string, used: unknown): unknown {
  const message = { role: "assistant", content, refusal: null }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }]
  return { id, object: "chat.completion", created, model, choices, usage: used, system_fingerprint: null }
}

/** About four characters to a token, as providers say of English. */
function usage(prompt: string, content: string): unknown {
  const prompt_tokens = Math.ceil(prompt.length / 4)
  const completion_tokens = Math.ceil(content.length / 4)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}

function drift(body: unknown): unknown {
  const drifted = structuredClone(body) as { choices?: { message: { content: string } }[] }
  for (const choice of drifted.choices ?? []) choice.message.content = prose(JSON.parse(choice.message.content))
  return drifted
}

function prose({ score, why }: Verdict): string {
  return `Thank you for this answer! I would say it deserves about ${score} out of 10. ${why}`
}
