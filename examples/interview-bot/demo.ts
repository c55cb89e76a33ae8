// The switches of the demo world, so that a person can make its services fail and watch the bot cope.
import { anyone, op } from "trestle"
import { z } from "zod"
import { demoWorld } from "./services.ts"

const Fault = z.object({
  service: z.enum(["people", "replica", "scoring"]),
  mode: z.enum(["ok", "slow", "failing", "refusing", "drifting"]),
})

export const fail = op({
  http: "POST /_demo/fail",
  summary: "Make a service of the demo world slow, failing, refusing or drifting; ok ends it",
  input: Fault,
  output: Fault.extend({ note: z.string() }),
  allow: anyone("switches of a demo world that exists on this machine only"),
  status: 200,
}).via(demoWorld.call("POST /_demo/fail", { repeat: "natural" }))

export const people = op({
  http: "GET /_demo/people",
  summary: "The people service's own records, under its own names, and every request it has seen",
  input: z.object({}),
  output: z.looseObject({ records: z.array(z.looseObject({})) }),
  allow: anyone("made-up people of a demo world that exists on this machine only"),
}).via(demoWorld.call("GET /_demo/people"))
