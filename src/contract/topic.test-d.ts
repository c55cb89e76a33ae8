// What compiles of topics and of what takes their messages. Checked by `npm run typecheck`.
import { z } from "zod"
import { code, nothing, op, type Running, topic } from "../index.ts"
import type { TestApp } from "../testing/index.ts"

const Registered = z.object({ userId: z.string(), points: z.number().default(0) })
const registered = topic("candidate.registered", Registered, { key: ({ userId, points }) => `${userId} ${points.toFixed()}` })

op({ on: registered, effect: "write", repeat: "natural", input: Registered, output: nothing }).via(
  code(({ points }) => void points.toFixed()),
)
// @ts-expect-error the input of a consumer is the topic's payload
op({ on: registered, effect: "write", repeat: "natural", input: z.object({ other: z.string() }), output: nothing })
// @ts-expect-error a key is made of the payload
topic("candidate.registered", Registered, { key: ({ email }) => email })
op({ every: "15m", delivery: { times: 3, backoff: "1s" }, effect: "read", input: nothing, output: nothing })
op({ every: { cron: "0 3 * * *", zone: "Europe/Berlin" }, effect: "read", input: nothing, output: nothing })
// @ts-expect-error a schedule is a duration or a cron expression
op({ every: "daily", effect: "read", input: nothing, output: nothing })

declare const running: Running<object>
declare const t: TestApp<object>
// What a publisher gives is the schema's input side.
running.publish(registered, { userId: "ada" })
// @ts-expect-error a payload of another type
running.publish(registered, { userId: 7 })
// @ts-expect-error the same in a test
t.deliver(registered, { points: 7 })
t.published(registered)[0]?.userId.length
