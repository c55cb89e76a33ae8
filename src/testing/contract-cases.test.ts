import { describe, expect, test } from "vitest"
import { z } from "zod"
import { type App, anyone, can, code, env, nothing, op, placeholder, rest, role, type Std, signedIn, trestle } from "../index.ts"
import { type ContractCasesOptions, contractCases } from "./index.ts"

const crm = rest({ url: env("CRM_URL") })
const Person = z.object({ id: z.uuid(), name: z.string().min(2), born: z.iso.date().nullable() })
const getPerson = op({
  effect: "read",
  input: z.object({ id: z.uuid() }),
  output: Person,
  examples: [
    {
      input: { id: "3f0b8c9a-5d1e-4b7a-9c2d-6e8f1a2b3c4d" },
      output: { id: "3f0b8c9a-5d1e-4b7a-9c2d-6e8f1a2b3c4d", name: "Ada", born: null },
    },
  ],
}).via(crm.call("GET /people/{id}"))
const people = {
  create: op({
    http: "POST /people",
    input: z.strictObject({
      name: z.string().min(2),
      mail: z.email(),
      age: z.number().int().min(18).max(20).optional(),
      tags: z.array(z.enum(["a", "b"])).min(1),
      code: z.string().regex(/^[A-Z]{2}-\d{3,}$/),
    }),
    output: Person,
    errors: { TAKEN: 409 },
    allow: [role("admin"), can("people:create")],
    repeat: "key",
  }).via(crm.call("POST /people")),
  show: op({
    http: "GET /people/{id}",
    input: z.object({ id: z.uuid(), depth: z.number().optional() }),
    output: Person,
    allow: signedIn(),
  }).via(crm.call("GET /people/{id}"), {
    owner: { load: getPerson, by: (i) => ({ id: i.id }), is: (row: any, who) => row.id === who.id },
  }),
  page: op({
    http: "GET /people",
    input: z.object({ page: z.number().int().default(1), q: z.string(), sort: z.enum(["name", "age"]).optional() }),
    output: z.array(Person),
    allow: anyone("public"),
  }).via(crm.call("GET /people")),
  remove: op({
    http: "DELETE /people/{id}",
    input: z.object({ id: z.string() }),
    output: nothing,
    allow: (i, who) => who.roles?.includes("admin") === true && i.id !== "",
    anyObject: "admins",
  }).via(crm.call("DELETE /people/{id}")),
  score: op({
    http: "POST /scores",
    input: z.object({ text: z.string() }),
    output: z.object({ score: z.number() }),
    allow: signedIn(),
  }).via(placeholder((i) => ({ score: i.text.length }), "waiting")),
}
const ops = { people, inside: { getPerson } }
const good = trestle({ name: "good", ops, permissions: { recruiter: ["people:create"] }, defaults: { bodyLimit: "4kb" } })

/** The names of the cases that fail, with what they say. */
async function failing(app: App<any>, options?: ContractCasesOptions): Promise<Record<string, string>> {
  const failed: Record<string, string> = {}
  for (const { name, run } of contractCases(app, options)) {
    await run().catch((error: Error) => {
      failed[name] = error.message
    })
  }
  return failed
}

describe("a sound application", () => {
  for (const { name, run } of contractCases(good)) test(name, run)
})

test("one case for each promise of each operation", () => {
  expect(contractCases(good).map(({ name }) => name)).toEqual([
    "good: its declarations have no findings",
    ...[
      "an input made from its schema → accepted, and answered with its own status",
      "an unknown field → 400 that names it",
      ...["name", "mail", "tags", "code"].map((field) => `${field} is missing → 400 that names it`),
      ...["name", "mail", "age", "tags", "code"].map((field) => `${field} has a wrong type → 400 that names it`),
      "a body above the limit → 413",
      "a body nested too deep → 400",
      "a body that is not JSON → 415",
      "another method → 405 that names the right ones",
      "no credentials → 401",
      "signed in without the role or permission → 403",
      "an answer that does not fit → an error, and not a word of the answer",
      "a backend that throws → an error, and not a word of what it threw",
      "the same Idempotency-Key again → the same answer, and nothing is done again",
      "an Idempotency-Key that is none → 400 that names it",
    ].map((promise) => `people.create: ${promise}`),
    ...[
      "an input made from its schema → accepted, and answered with its own status",
      "an unknown field → 400 that names it",
      "depth has a wrong type → 400 that names it",
      "another method → 405 that names the right ones",
      "no credentials → 401",
      "somebody else's object → 404",
      "an object that is not there → 404, not to be told from somebody else's",
      "an answer that does not fit → an error, and not a word of the answer",
      "a backend that throws → an error, and not a word of what it threw",
    ].map((promise) => `people.show: ${promise}`),
    ...[
      "an input made from its schema → accepted, and answered with its own status",
      "an unknown field → 400 that names it",
      "q is missing → 400 that names it",
      "page has a wrong type → 400 that names it",
      "sort has a wrong type → 400 that names it",
      "another method → 405 that names the right ones",
      "an answer that does not fit → an error, and not a word of the answer",
      "a backend that throws → an error, and not a word of what it threw",
    ].map((promise) => `people.page: ${promise}`),
    ...[
      "an input made from its schema → accepted, and answered with its own status",
      "an unknown field → 400 that names it",
      "another method → 405 that names the right ones",
      "no credentials → 401",
      "an answer that does not fit → an error, and not a word of the answer",
      "a backend that throws → an error, and not a word of what it threw",
    ].map((promise) => `people.remove: ${promise}`),
    ...[
      "an input made from its schema → accepted, and answered with its own status",
      "an unknown field → 400 that names it",
      "text is missing → 400 that names it",
      "text has a wrong type → 400 that names it",
      "a body above the limit → 413",
      "a body nested too deep → 400",
      "a body that is not JSON → 415",
      "another method → 405 that names the right ones",
      "no credentials → 401",
      "an answer that does not fit → an error, and not a word of the answer",
      "a backend that throws → an error, and not a word of what it threw",
      "its placeholder's answer fits",
    ].map((promise) => `people.score: ${promise}`),
    "inside.getPerson: example 1 → accepted in process, and its answer fits",
  ])
})

/** A schema whose JSON form promises more than its validation holds. */
function liar(json: object, refuses: (value: any) => string | null): Std<any, any> {
  const jsonSchema = { input: () => json, output: () => json }
  const validate = (value: any) => {
    const path = refuses(value)
    return path === null ? { value } : { issues: [{ message: "no", path: path === "" ? [] : [path] }] }
  }
  return { "~standard": { version: 1, vendor: "liar", validate, jsonSchema } } as never
}
const NAMED = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
const saving = (input: Std<any, any>, output: Std<any, any> = z.object({ ok: z.boolean() })) =>
  op({ http: "POST /things", input, output, allow: signedIn() }).via(code(() => ({ ok: true })))

describe("a contract broken on purpose fails exactly its own cases", () => {
  test("takes a missing field", async () => {
    const app = trestle({
      name: "bad",
      ops: { save: saving(liar(NAMED, ({ name }) => (name === undefined || typeof name === "string" ? null : "name"))) },
    })
    expect(Object.keys(await failing(app))).toEqual(["save: name is missing → 400 that names it"])
  })
  test("takes a wrong type", async () => {
    const app = trestle({ name: "bad", ops: { save: saving(liar(NAMED, (value) => ("name" in value ? null : ""))) } })
    const failed = await failing(app)
    // A missing field is refused, but not by its name.
    expect(Object.keys(failed)).toEqual(["save: name is missing → 400 that names it", "save: name has a wrong type → 400 that names it"])
    expect(failed["save: name is missing → 400 that names it"]).toContain(
      'no issue names "name"; the issues are [{"path":"","message":"no"}]',
    )
    expect(failed["save: name has a wrong type → 400 that names it"]).toContain("expected 400 (INVALID), got 201")
  })
  test("gives out what does not fit", async () => {
    const Ok = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] }
    const failed = await failing(
      trestle({
        name: "bad",
        ops: {
          save: saving(
            z.object({ name: z.string() }),
            liar(Ok, () => null),
          ),
        },
      }),
    )
    expect(Object.keys(failed)).toEqual(["save: an answer that does not fit → an error, and not a word of the answer"])
    expect(Object.values(failed)[0]).toContain("the response gives away what the backend said")
  })
  test("an owner rule that lets everybody pass", async () => {
    const show = op({
      http: "GET /people/{id}",
      input: z.object({ id: z.uuid() }),
      output: Person,
      allow: signedIn(),
      owner: { load: getPerson, is: () => true },
    }).via(crm.call("GET /people/{id}"))
    const failed = await failing(trestle({ name: "bad", ops: { show, getPerson } }))
    expect(Object.keys(failed)).toEqual([
      "show: somebody else's object → 404",
      "show: an object that is not there → 404, not to be told from somebody else's",
    ])
  })
  test("a placeholder that does not fit every input", async () => {
    const score = op({
      http: "POST /scores",
      input: z.object({ text: z.string() }),
      output: z.object({ score: z.number().max(3) }),
      allow: signedIn(),
    }).via(placeholder((i) => ({ score: i.text.length }), "waiting"))
    expect(Object.keys(await failing(trestle({ name: "bad", ops: { score } })))).toEqual(["score: its placeholder's answer fits"])
  })
  test("declarations with findings → that case alone, since nothing can start", async () => {
    const open = op({ http: "GET /open", input: nothing, output: nothing } as never).via(code(() => {}) as never)
    expect(await failing(trestle({ name: "bad", ops: { open } }) as never)).toEqual({
      "bad: its declarations have no findings": expect.stringContaining("TRS1002"),
    })
  })
})

describe("what cannot be made is asked for", () => {
  test("an input that no generator can guess → examples; with one → all cases hold", async () => {
    const Odd = z.object({ sum: z.string().refine((text) => text === "4711", { message: "wrong check sum" }) })
    const make = (examples: any) =>
      trestle({
        name: "odd",
        ops: { save: op({ http: "POST /things", input: Odd, output: nothing, allow: signedIn(), ...examples }).via(code(() => {})) },
      })
    const failed = await failing(make({}))
    expect(new Set(Object.values(failed))).toEqual(
      new Set([
        "save: no input could be made from its schema (sum: wrong check sum). Give it one: examples: [{ input: { ... }, output: { ... } }],",
      ]),
    )
    expect(await failing(make({ examples: [{ input: { sum: "4711" }, output: undefined }] }))).toEqual({})
  })
  test("a caller that only the application knows → callers; with one → all cases hold", async () => {
    const ask = op({ http: "GET /vault", input: nothing, output: z.string(), allow: (_i, who) => who.claims?.level === 7 }).via(
      code(() => "x"),
    )
    const app = trestle({ name: "vault", ops: { ask } })
    expect(Object.values(await failing(app))[0]).toContain('contractCases(app, { callers: { "ask": ')
    expect(await failing(app, { callers: { ask: { id: "x", kind: "user", claims: { level: 7 } } } })).toEqual({})
  })
})
