import { anyone, code, op, trestle } from "trestle"
import { z } from "zod"

export const parsed = trestle({
  name: "parsed",
  defaults: { bodyLimit: "1kb" },
  ops: {
    add: op({
      http: "POST /notes",
      input: z.object({ text: z.string(), n: z.number().nullable().optional() }),
      output: z.any(),
      allow: anyone("a test"),
    }).via(code((input) => input)),
  },
})
