// The interview bot: every operation under its name. Importing this file opens nothing and needs no secret.
import { apiKeys, trestle } from "trestle"
import * as answers from "./answers.ts"
import * as candidates from "./candidates.ts"
import * as demo from "./demo.ts"
import { judge } from "./judge.ts"
import { questions } from "./questions.ts"
import * as recordings from "./recordings.ts"
import { candidateTokens } from "./tokens.ts"

/** A model is there as soon as somebody says where. */
const hasModel = Boolean(process.env.SCORING_URL)

export const app = trestle({
  name: "interview-bot",
  version: "1.0.0",
  ops: {
    candidates: { register: candidates.register, show: candidates.show, list: candidates.list },
    questions,
    recordings: { upload: recordings.upload, download: recordings.download },
    answers: {
      give: answers.give,
      list: answers.list,
      show: answers.show,
      tally: answers.tally,
      score: hasModel ? answers.scoreByModel : answers.scorePlaceholder,
    },
    demo: { fail: demo.fail, people: demo.people },
    inside: {
      createPerson: candidates.createPerson,
      findByEmail: candidates.findByEmail,
      findOwner: candidates.findOwner,
      findAnswer: answers.findAnswer,
      scoreGiven: hasModel ? answers.scoreGiven : answers.scoreGivenPlaceholder,
      ...(hasModel ? { judge, keepScore: answers.keepScore, scoreAnswer: answers.scoreAnswer } : {}),
    },
  },
  pages: new URL("./pages/", import.meta.url),
  authenticate: [candidateTokens, apiKeys()],
  permissions: { recruiter: ["meta:read"] },
  defaults: { bodyLimit: "64kb" },
})

export type InterviewBot = typeof app
