// Answers to interview questions, kept by the bot itself, and their scores.
import { randomUUID } from "node:crypto"
import { code, nothing, op, placeholder, role, signedIn, sql, topic } from "trestle"
import { z } from "zod"
import { findOwner, isRecruiter, isSelf } from "./candidates.ts"
import { judge } from "./judge.ts"
import { db } from "./services.ts"

const Score = z.object({ score: z.number().min(0).max(10), why: z.string() })
const Answer = z.object({
  id: z.uuid(),
  candidateId: z.string(),
  questionId: z.string(),
  topic: z.string(),
  question: z.string(),
  text: z.string(),
  answeredAt: z.iso.datetime(),
  score: Score.nullable(),
})
const ById = z.object({ id: z.uuid() })
const CandidateId = z.string().regex(/^\d{1,12}$/)

const SELECT = sql`
  select answers.id, candidate_id as "candidateId", question_id as "questionId", topic, questions.text as question, answers.text,
    answered_at as "answeredAt", score, why
  from answers join questions on questions.id = question_id`

type Row = Omit<z.infer<typeof Answer>, "score"> & { readonly score: number | null; readonly why: string | null }

function toAnswer({ score, why, ...answer }: Row): z.infer<typeof Answer> {
  return { ...answer, score: score === null || why === null ? null : { score, why } }
}

/** Said of every answer that is given; whoever scores it hears of it. */
export const answerGiven = topic("answer.given", ById)

/** Reads an answer, whoever asks: what ownership is decided on. */
export const findAnswer = op({ summary: "Read an answer", effect: "read", input: ById, output: Answer }).via(
  db.one(({ id }) => sql`${SELECT} where answers.id = ${id}`, { row: toAnswer }),
)

export const give = op({
  http: "POST /answers",
  summary: "Answer a question of one's own interview, once",
  input: z.object({
    candidateId: CandidateId,
    questionId: z.string().min(1).max(100),
    text: z.string().trim().min(1, "Please write an answer first.").max(20_000, "At most 20,000 characters, please."),
  }),
  output: Answer,
  errors: { ALREADY_ANSWERED: 409, NO_SUCH_QUESTION: 422 },
  allow: signedIn(),
  owner: { load: findOwner, by: (i) => ({ id: i.candidateId }), is: isSelf },
  deadline: "5s",
}).via(
  db.transaction(
    async (tx, { candidateId, questionId, text }) => {
      const id = randomUUID()
      await tx.run(sql`
        insert into answers (id, candidate_id, question_id, text, answered_at)
        values (${id}, ${candidateId}, ${questionId}, ${text}, ${new Date()})`)
      await tx.emit(answerGiven, { id })
      return toAnswer(await tx.one(sql`${SELECT} where answers.id = ${id}`))
    },
    { errors: { unique: "ALREADY_ANSWERED", foreignKey: "NO_SUCH_QUESTION" } },
  ),
)

export const show = op({
  http: "GET /answers/{id}",
  summary: "One answer with its score: to its candidate, and to recruiters",
  input: ById,
  output: Answer,
  allow: signedIn(),
  owner: { load: findAnswer, is: (row, who) => isSelf({ id: row.candidateId }, who) || isRecruiter(who) },
}).via(db.one(({ id }) => sql`${SELECT} where answers.id = ${id}`, { row: toAnswer }))

export const list = op({
  http: "GET /answers",
  summary: "All answers of a candidate, in the order of the questions: to the candidate, and to recruiters",
  input: z.object({ candidateId: CandidateId }),
  output: z.array(Answer),
  allow: signedIn(),
  owner: { load: findOwner, by: (i) => ({ id: i.candidateId }), is: (row, who) => isSelf(row, who) || isRecruiter(who) },
}).via(db.many(({ candidateId }) => sql`${SELECT} where candidate_id = ${candidateId} order by level, position`, { row: toAnswer }))

export const tally = op({
  http: "GET /answers/tally",
  summary: "How much of their interviews some candidates have done; those without an answer are left out",
  input: z.object({ candidateIds: z.array(CandidateId).max(100).default([]) }),
  output: z.array(z.object({ candidateId: z.string(), answered: z.number().int(), scored: z.number().int() })),
  allow: role("recruiter"),
  anyObject: "recruiters see every answer",
}).via(
  db.many(
    ({ candidateIds }) => sql`
      select candidate_id as "candidateId", count(*) as answered, count(score) as scored
      from answers where candidate_id in (${sql.list(candidateIds)}) group by candidate_id`,
  ),
)

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

/** Internal: only `scoreAnswer` runs it. */
export const keepScore = op({
  summary: "Keep the score of an answer",
  effect: "write",
  input: ById.extend(Score.shape),
  output: nothing,
  repeat: "natural",
}).via(db.run(({ id, score, why }) => sql`update answers set score = ${score}, why = ${why} where id = ${id}`, { missing: "NOT_FOUND" }))

/** Internal: for a recruiter who asks, and for every answer that is given. */
export const scoreAnswer = op({
  summary: "Ask the model for a score, and keep it",
  effect: "write",
  input: ById,
  output: Score,
  repeat: "natural",
}).via(
  code(async ({ id }, ctx) => {
    const { question, text } = await ctx.run(findAnswer, { id })
    const score = await ctx.run(judge, { question, text })
    await ctx.run(keepScore, { id, ...score })
    return score
  }),
)

/** Going live changes the argument of `via`, and nothing else. */
export const scoreByModel = scoring.via(code((answer, ctx) => ctx.run(scoreAnswer, answer)))

const givenAnswer = op({
  on: answerGiven,
  summary: "Score an answer as soon as it is given",
  effect: "write",
  input: ById,
  output: nothing,
  repeat: "natural",
  delivery: { times: 20, backoff: "2s" },
})

/** Takes the messages and scores nothing: of answers that are given meanwhile no model hears later, a recruiter asks for their scores. */
export const scoreGivenPlaceholder = givenAnswer.via(
  placeholder(undefined, "waiting for the scoring model, INT-42: set SCORING_URL and SCORING_KEY"),
)

export const scoreGiven = givenAnswer.via(
  code(async (answer, ctx) => {
    const { score } = await ctx.run(findAnswer, answer)
    // A message may come twice, and a recruiter may have been faster.
    if (score === null) await ctx.run(scoreAnswer, answer)
  }),
)
