// Asks a model for a verdict, through any service that speaks the chat-completions shape.
import { op } from "trestle"
import { z } from "zod"
import { scoring } from "./services.ts"

const INSTRUCTION = 'You mark answers of a technical interview. Reply with JSON only: {"score": 0 to 10, "why": "one sentence"}.'
/** The verdict, as JSON in a text. */
const Content = z.string().meta({ examples: ['{"score": 7, "why": "It names the index that the query lacks."}'] })
const Completion = z.object({ choices: z.array(z.object({ message: z.object({ content: Content }) })).min(1) })

export const judge = op({
  summary: "Mark one answer",
  effect: "read",
  input: z.object({ question: z.string(), text: z.string() }),
  output: z.object({ score: z.number().min(0).max(10), why: z.string() }),
}).via(
  scoring.call("POST /v1/chat/completions", {
    body: ({ question, text }) => ({
      model: process.env.SCORING_MODEL ?? "rubric",
      messages: [
        { role: "system", content: INSTRUCTION },
        { role: "user", content: `Question: ${question}\nAnswer: ${text}` },
      ],
    }),
    response: Completion,
    map: (completion) => JSON.parse(completion.choices[0]!.message.content),
    // Marking changes nothing at the service, so an attempt may be repeated whatever became of it.
    repeat: "natural",
  }),
)
