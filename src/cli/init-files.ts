/** The files of a new application. `test/cli/init.test.ts` compiles and runs them. */

/** The application, small enough to be read in a minute; `check()` finds nothing wrong with it and it starts with no variable set. */
export function appSource(name: string): string {
  return `import { anyone, apiKeys, code, env, op, placeholder, rest, role, trestle } from "trestle"
import { z } from "zod"

// An operation says what goes in, what comes out and who may call it; \`via\` says what answers. Going from a placeholder to the real
// thing changes the argument of \`via\` and nothing else.

const Note = z.object({ id: z.string(), text: z.string(), writtenAt: z.iso.datetime() })
const notes: z.infer<typeof Note>[] = []

// Answered by code of yours. Only callers with the role may: trestle keys create --name me --role writer
export const createNote = op({
  http: "POST /notes",
  summary: "Write a note",
  input: z.object({ text: z.string().min(1).max(500) }),
  output: Note,
  allow: role("writer"),
}).via(
  code(({ text }) => {
    const note = { id: String(notes.length + 1), text, writtenAt: new Date().toISOString() }
    notes.push(note)
    return note
  }),
)

export const listNotes = op({
  http: "GET /notes",
  summary: "All notes",
  input: z.object({}),
  output: z.array(Note),
  allow: anyone("notes are public here"),
}).via(code(() => notes))

// A placeholder: checked against the contract like the real thing, counted by \`trestle status\`, refused in production.
export const summarizeNotes = op({
  http: "GET /notes/summary",
  summary: "What the notes are about",
  input: z.object({}),
  output: z.object({ summary: z.string() }),
  allow: anyone("notes are public here"),
}).via(placeholder({ summary: "Nothing has been read yet." }, "waiting for the language model"))

// A real service. Its address is a reference: set WEATHER_URL to use another one. Timeout, retry and circuit breaker are on by default.
const weather = rest({ url: env("WEATHER_URL", "https://api.open-meteo.com") })

export const currentWeather = op({
  http: "GET /weather",
  summary: "The temperature somewhere",
  input: z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) }),
  output: z.object({ celsius: z.number() }),
  allow: anyone("weather is public"),
}).via(
  weather.call("GET /v1/forecast", {
    query: ({ latitude, longitude }) => ({ latitude, longitude, current: "temperature_2m" }),
    response: z.object({ current: z.object({ temperature_2m: z.number() }) }),
    map: (reply) => ({ celsius: reply.current.temperature_2m }),
  }),
)

export const app = trestle({
  name: ${JSON.stringify(name)},
  ops: {
    notes: { create: createNote, list: listNotes, summary: summarizeNotes },
    weather: { current: currentWeather },
  },
  authenticate: [apiKeys()],
})
`
}

export function testSource(extension: string): string {
  return `import assert from "node:assert/strict"
import { test } from "node:test"

process.env.TRESTLE_LOG = "silent"
const { app } = await import("./app.${extension}")

test("nothing is wrong with the declarations", () => {
  assert.deepEqual(app.check(), [])
})

test("a note that was written is listed; nobody writes without the role", async () => {
  const running = await app.start()
  const ada = running.as({ id: "ada", kind: "user", roles: ["writer"] })
  const note = await ada.notes.create({ text: "hello" })
  assert.deepEqual(await ada.notes.list({}), [note])
  const refused = await running.as({ id: "bob", kind: "user" }).notes.create.safe({ text: "hello" })
  assert.equal(refused.ok, false)
  await running.close()
})
`
}

export const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2023",
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "skipLibCheck": true
  },
  "exclude": ["node_modules", "dist"]
}
`

export const ENV_EXAMPLE = `# Copy what you need to .env.local, which git leaves alone. The shell wins over .env.local, .env.<environment> and .env.

# The port of "trestle dev" and "trestle serve".
# PORT=4000

# Another address for the weather, for tests.
# WEATHER_URL=http://localhost:8080

# The log: info, warn, error or silent.
# TRESTLE_LOG=info

# "production" refuses placeholders and writes the log as JSON.
# TRESTLE_ENV=production

# Where API keys are kept.
# TRESTLE_DATA=.trestle
`

export const IGNORED = ["node_modules/", ".trestle/", ".env.local"] as const
