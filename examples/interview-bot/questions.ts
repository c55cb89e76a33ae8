// What is asked. The questions themselves come with the first migration.
import { op, signedIn, sql } from "trestle"
import { z } from "zod"
import { Level } from "./people.ts"
import { db } from "./services.ts"

export const Question = z.object({
  id: z.string(),
  level: Level,
  position: z.number().int(),
  topic: z.string(),
  text: z.string(),
})

export const list = op({
  http: "GET /questions",
  summary: "The questions of a level, in the order in which they are asked",
  input: z.object({ level: Level }),
  output: z.array(Question),
  allow: signedIn(),
}).via(db.many(({ level }) => sql`select id, level, position, topic, text from questions where level = ${level} order by position`))
