import { expect } from "vitest"
import type { Exchange, RawAnswer } from "./raw.ts"
import { raw, request } from "./raw.ts"
import { CANARY, THEIRS, type World } from "./world.ts"

/** Words that would tell of the inside of the house. */
const INSIDE =
  /\bat .*:\d+:\d+|node_modules|\/work\/|\.ts\b|\bzod\b|arktype|valibot|fastify|undici|llhttp|HPE_|ECONN|FST_ERR|ZodError|TrestleError/i

export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly outcome: string
  readonly trace: string
  readonly issues: readonly { readonly path: string; readonly message: string }[]
}

/** The one answer of an exchange. */
export function only(exchange: Exchange): RawAnswer {
  expect(exchange.answers.length, `${exchange.ended}: ${exchange.text.slice(0, 300)}`).toBe(1)
  return exchange.answers[0]!
}

/** A refusal in its full form: status, fields, header fields; nothing from inside. */
export function expectProblem(answer: RawAnswer, status: number, code?: string): ProblemBody {
  expect(answer.status, answer.body).toBe(status)
  expect(answer.headers).toMatchObject({
    "content-type": expect.stringMatching(/^application\/problem\+json(; charset=utf-8)?$/),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  })
  expect(answer.headers.server ?? answer.headers["x-powered-by"]).toBeUndefined()
  const body = JSON.parse(answer.body)
  const { type, title, detail, outcome, trace } = body
  expect(body.status).toBe(status)
  expect(type).toMatch(/^urn:trestle:error:[a-z-]+$/)
  for (const text of [title, detail]) expect(text).toMatch(/^\S.*\S$/)
  expect(["refused", "unknown", "answered"]).toContain(outcome)
  expect(trace).toMatch(/^[0-9a-f]{32}$/)
  expect(answer.headers["x-request-id"]).toBe(trace)
  if (code) expect(body.code).toBe(code)
  expect(answer.body).not.toMatch(INSIDE)
  expectNoSecret(answer.body + JSON.stringify(answer.headers))
  return body
}

const forms = (text: string): string[] => [
  text,
  encodeURIComponent(text),
  Buffer.from(text).toString("hex"),
  ...[0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
      .toString("base64")
      .slice(Math.ceil((before * 8) / 6), Math.floor(((before + text.length) * 8) / 6)),
  ),
]

/** Neither as it is nor encoded. */
export function expectNoSecret(text: string, secrets: readonly string[] = [CANARY, THEIRS]): void {
  for (const form of secrets.flatMap(forms)) expect(text.includes(form), `"${form}" in: ${text.slice(0, 400)}`).toBe(false)
}

/** The application still answers. */
export async function expectHealthy(world: World): Promise<void> {
  const exchange = await raw(world.port, request("GET /things/ok", { "x-api-key": world.key }), { answers: 1 })
  expect(only(exchange)).toMatchObject({ status: 200, body: '{"id":"ok"}' })
}
