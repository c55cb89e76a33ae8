// Answers to interview questions, kept by the bot itself, and their scores.
import { randomUUID } from "node:crypto"
import { code, op, placeholder, role, signedIn } from "trestle"
import { z } from "zod"
import { findOwner, isRecruiter, isSelf } from "./candidates.ts"
import { JsonLines } from "./json-lines.ts"
import { judge } from "./judge.ts"

const Score = z.object({ score: z.number().min(0).max(10), why: z.string() })
const Answer = z.object({
  id: z.uuid(),
  candidateId: z.string(),
  question: z.string(),
  text: z.string(),
  answeredAt: z.iso.datetime(),
  score: Score.nullable(),
})
const ById = z.object({ id: z.uuid() })

/** The last line of an id is its present state. */
const kept = new JsonLines<z.infer<typeof Answer>>("answers.jsonl")

/** Reads an answer, whoever asks: what ownership is decided on. */
export const findAnswer = op({ summary: "Read an answer", effect: "read", input: ById, output: Answer }).via(
  code(({ id }, ctx) => kept.rows().findLast((answer) => answer.id === id) ?? ctx.fail("NOT_FOUND")),
)

export const give = op({
  http: "POST /answers",
  summary: "Answer a question of one's own interview",
  input: z.object({
    candidateId: z.string().regex(/^\d{1,12}$/),
    question: z.string().min(1).max(2_000),
    text: z.string().min(1).max(20_000),
  }),
  output: Answer,
  allow: signedIn(),
  owner: { load: findOwner, by: (i) => ({ id: i.candidateId }), is: isSelf },
  deadline: "5s",
}).via(
  code(async (given) => {
    const answer = { id: randomUUID(), ...given, answeredAt: new Date().toISOString(), score: null }
    await kept.append(answer)
    return answer
  }),
)

export const show = op({
  http: "GET /answers/{id}",
  summary: "One answer with its score: to its candidate, and to recruiters",
  input: ById,
  output: Answer,
  allow: signedIn(),
  owner: { load: findAnswer, is: (row, who) => isSelf({ id: row.candidateId }, who) || isRecruiter(who) },
}).via(code(({ id }, ctx) => kept.rows().findLast((answer) => answer.id === id) ?? ctx.fail("NOT_FOUND")))

const scoring = op({
  http: "POST /answers/{id}/score",
  summary: "Score an answer",
  input: ById,
  output: Score,
  allow: role("recruiter"),
  anyObject: "recruiters score every answer",
  repeat: "natural",
  status: 200,
  deadline: "10s",
})

/** At first: a placeholder that says so. */
export const scorePlaceholder = scoring.via(
  placeholder(
    { score: 5, why: "placeholder: every answer scores 5" },
    "waiting for the scoring model, INT-42: set SCORING_URL and SCORING_KEY",
  ),
)

/** Going live changes the argument of `via`, and nothing else. */
export const scoreByModel = scoring.via(
  code(async ({ id }, ctx) => {
    const answer = await ctx.run(findAnswer, { id })
    const score = await ctx.run(judge, { question: answer.question, text: answer.text })
    await kept.append({ ...answer, score })
    return score
  }),
)
