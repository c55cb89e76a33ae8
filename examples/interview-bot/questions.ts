// What is asked: a resource that recruiters tend and every candidate reads. The first questions come with the migration.
import { crud, role, signedIn } from "trestle"
import { z } from "zod"
import { Level } from "./people.ts"
import { db } from "./services.ts"

const Question = z.object({
  id: z.string().regex(/^[a-z0-9-]{1,100}$/, "Small letters, digits and hyphens, please."),
  level: Level,
  /** Of the question in the interview of its level, from 1. */
  position: z.number().int().min(1).max(100),
  topic: z.string().trim().min(1).max(40),
  /** What stands between backticks is code. */
  text: z.string().trim().min(1).max(2_000),
})

export const questions = crud({
  http: "/questions",
  table: db.table("questions", Question),
  id: "id",
  create: Question,
  update: Question.omit({ id: true }).partial(),
  allow: { read: signedIn(), write: role("recruiter") },
  anyObject: "questions belong to nobody",
  filter: ["level"],
  sort: ["position"],
})
