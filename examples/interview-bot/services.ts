// Every address and credential of the systems that the bot depends on, once.
import { bearer, env, rest, secret, sqlite } from "trestle"

/** The people service: who has ever applied. It does not know idempotency keys, so a write must never be sent to it twice. */
export const people = rest({
  url: env("PEOPLE_URL"),
  auth: bearer(secret("PEOPLE_TOKEN")),
  health: "GET /ping",
  policy: { timeout: "800ms", retry: 1, breaker: { failures: 3, of: 6, rest: "5s" } },
})

/** Its replica: the same records under the same ids, so a registration that was refused may go there. */
export const peopleReplica = rest({
  url: env("PEOPLE_REPLICA_URL"),
  auth: bearer(secret("PEOPLE_TOKEN")),
  replicaOf: people,
  policy: { timeout: "800ms", retry: 1, breaker: { failures: 3, of: 6, rest: "5s" } },
})

/** The bot's own: questions and answers. What is said of an answer commits with it, and is heard of once. */
export const db = sqlite({
  file: env("INTERVIEW_DB"),
  outbox: true,
  migrations: new URL("./migrations/", import.meta.url),
  migrate: "on start",
})

/** Speaks the chat-completions shape: the demo's rubric, or a real model at SCORING_URL. */
export const scoring = rest({
  url: env("SCORING_URL"),
  auth: bearer(secret("SCORING_KEY")),
  policy: { timeout: "4s", retry: { times: 2, backoff: "200ms" } },
})

/** Keeps recordings. `timeout` is how long nothing may move: how long a file takes is for its size to say. */
export const files = rest({
  url: env("FILES_URL"),
  auth: bearer(secret("FILES_TOKEN")),
  policy: { timeout: "5s", concurrency: 32 },
})

/** The switches of the demo world itself. A real application has nothing like it. */
export const demoWorld = rest({ url: env("DEMO_WORLD_URL"), name: "demo-world" })
