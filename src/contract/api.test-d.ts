// What the types of the API promise: compiled by `tsc --noEmit`, never run. Each `@ts-expect-error` proves itself.
import { z } from "zod"
import { createClient } from "../client/index.ts"
import {
  anyone,
  asFile,
  asText,
  bearer,
  type Common,
  can,
  code,
  cursor,
  env,
  type FileBody,
  fallback,
  file,
  flow,
  form,
  multipart,
  nextLink,
  nothing,
  op,
  type Principal,
  placeholder,
  raw,
  rest,
  secret,
  signedIn,
  stream,
  trestle,
  value,
} from "../index.ts"

const crm = rest({ url: env("CRM_URL"), auth: bearer(secret("CRM_TOKEN")), policy: { timeout: "2s" } })

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_T extends true>(): void => {}

const NewUser = z.strictObject({ name: z.string().min(1), email: z.email() })
const User = z.object({ id: z.string().nullable(), name: z.string(), email: z.string(), state: z.enum(["active", "pending"]) })

// -- what is inferred: mapping parameters, literals in mappings, through nested backends ---------------
const createUser = op({ http: "POST /users", input: NewUser, output: User, errors: { EMAIL_TAKEN: 409 }, allow: can("users:create") }).via(
  fallback(
    crm.call("POST /v2/people", {
      body: (u) => ({ full_name: u.name, mail: u.email.toLowerCase() }),
      response: z.object({ uid: z.number(), full_name: z.string(), mail: z.string() }),
      map: (r) => ({ id: String(r.uid), name: r.full_name, email: r.mail, state: "active" }),
      errors: { 409: "EMAIL_TAKEN" },
    }),
    crm.call("POST /v2/people", { map: (r, u) => ({ id: String(r.uid), name: u.name, email: r.mail, state: "active" }) }),
  ),
)
const getUser = op({ effect: "read", input: z.object({ id: z.string() }), output: User }).via(
  code(async (i) => ({ id: i.id, name: "", email: "", state: "pending" })),
)
const showUser = op({
  http: "GET /users/{id}",
  input: z.object({ id: z.string() }),
  output: User,
  allow: (i, who) => who.kind === "user" && i.id.length > 0,
  owner: { load: getUser, is: (row, who) => row.id === who.id },
}).via(placeholder((i) => ({ id: i.id, name: "", email: "", state: "active" }), "why"))
const openJobs = op({ http: "GET /jobs", input: nothing, output: z.array(z.object({ id: z.string() })), allow: anyone("public") }).via(
  value([]),
)
// A shared contract: the server adds its own part later, with the input inferred.
const shared = op({ http: "POST /shared", input: NewUser, output: nothing })
shared.via(
  code(() => {}),
  { allow: (input) => input.name !== "" },
)
const sharedShow = op({ http: "GET /shared/{id}", input: z.object({ id: z.string() }), output: User })
const held = code<{ id: string }, { id: string; name: string; email: string; state: "active" }>((i) => ({
  ...i,
  name: "",
  email: "",
  state: "active",
}))
sharedShow.via(held, { allow: signedIn(), owner: { load: getUser, is: (row, who) => row.id === who.id } })
// @ts-expect-error the loaded object has no such field
sharedShow.via(held, { allow: signedIn(), owner: { load: getUser, is: (row, who) => row.nothing === who.id } })
// An output schema that transforms: the backend answers its input side.
op({ effect: "read", input: NewUser, output: z.object({ n: z.string().transform(Number) }) }).via(code(() => ({ n: "3" })))
op({ effect: "write", input: NewUser, output: User, errors: { EMAIL_TAKEN: 409 } }).via(code((_u, ctx) => ctx.fail("EMAIL_TAKEN")))
op({ effect: "read", input: z.object({ id: z.string() }), output: User }).via(code((i, ctx) => ctx.run(getUser, { id: i.id })))

// How a write may be tried: the input of the contract, the answer as callers see it, other operations by their types.
op({
  effect: "write",
  input: NewUser,
  output: User,
  was: ["users.add"],
  deprecated: { sunset: "2027-01-31", use: "users.create" },
  verify: {
    input: { name: "Ada", email: "a@x.io" },
    cleanup: async (made, run) => {
      holds<Same<typeof made.state, "active" | "pending">>()
      const found = await run(getUser, { id: made.id ?? "" })
      holds<Same<typeof found.name, string>>()
      // @ts-expect-error no such field of that operation's input
      await run(getUser, { uid: "1" })
    },
  },
}).via(crm.call("POST /x", { map: (_r, u) => ({ id: null, name: u.name, email: u.email, state: "active" }) }))
// @ts-expect-error an input that the contract does not take
op({ effect: "write", input: NewUser, output: User, verify: { input: { name: 7, email: "" } } })
// @ts-expect-error an end without its day
op({ effect: "read", input: NewUser, output: User, deprecated: { use: "users.create" } })

// -- callers --------------------------------------------------------------------------------------------
const app = trestle({
  name: "demo",
  ops: { users: { create: createUser, show: showUser }, jobs: openJobs, inside: { getUser } },
  permissions: { recruiter: ["users:create"] },
  defaults: { deadline: "10s" },
})
const api = createClient<typeof app>({ url: "/api", token: async () => "t" })
const made = await api.users.create({ name: "Ada", email: "ada@x.io" }, { idempotencyKey: "k1", deadline: "2s" })
holds<Same<typeof made.state, "active" | "pending">>()
const r = await api.users.create.safe({ name: "Ada", email: "a@x.io" })
if (!r.ok) holds<Same<typeof r.code, "EMAIL_TAKEN" | Common>>()
else holds<Same<typeof r.value.id, string | null>>()
holds<Same<Awaited<ReturnType<typeof api.jobs>>, { id: string }[]>>()
const running = await app.start()
await running.internal().inside.getUser({ id: "1" })
declare const somebody: Principal
const theirs = running.as(somebody)
const shown = await theirs.users.show.detailed({ id: "1" })
holds<Same<typeof shown.value.state, "active" | "pending">>()
holds<Same<typeof app.ops.users.create, typeof createUser>>()
holds<Same<typeof shown.meta.attempts, number>>()
// What is written for a client takes a caller in process too; a client is not told everything.
const either: typeof api = theirs
const told = await either.users.show.detailed({ id: "1" })
holds<Same<typeof told.meta.attempts, number | undefined>>()

// -- what must NOT compile --------------------------------------------------------------------------------
// @ts-expect-error unknown input field
await api.users.create({ nam: "Ada", email: "x" })
// @ts-expect-error internal operations cannot be called remotely
api.inside.getUser({ id: "1" })
// @ts-expect-error code that no contract declares
if (!r.ok && r.code === "NOPE") r.detail
// @ts-expect-error a deadline is a duration
await api.jobs(undefined, { deadline: "soon" })
// @ts-expect-error an application has operations
createClient<{ users: typeof createUser }>({ url: "/api" })
// @ts-expect-error it is the type of an application, not the application
createClient<app>({ url: "/api" })
// @ts-expect-error a client needs the address
createClient<typeof app>({})
// @ts-expect-error a token is text
createClient<typeof app>({ url: "/api", token: () => 7 })
// @ts-expect-error no such operation
api.users.delete
// @ts-expect-error a group is no operation
await api.users({ name: "Ada" })
// @ts-expect-error with `safe` the value is there only when it went well
const _unchecked = r.value
// @ts-expect-error an application has a name
trestle({ ops: { jobs: openJobs } })
// @ts-expect-error an application has operations
trestle({ name: "demo" })
// @ts-expect-error a default that does not exist
trestle({ name: "demo", ops: { jobs: openJobs }, defaults: { deadlin: "2s" } })
// @ts-expect-error permissions of a role are a list
trestle({ name: "demo", ops: { jobs: openJobs }, permissions: { recruiter: "users:create" } })
// @ts-expect-error a function is no authenticator
trestle({ name: "demo", ops: { jobs: openJobs }, authenticate: [() => null] })
// @ts-expect-error an application that is not started calls nothing
app.internal()
// @ts-expect-error on behalf of nobody
running.as(null)
// @ts-expect-error a principal has a kind
running.as({ id: "7" })
// @ts-expect-error internal operations are not for callers, in process either
theirs.inside.getUser({ id: "1" })
// @ts-expect-error unknown input field, in process
await theirs.users.create({ nam: "Ada", email: "x" })
// @ts-expect-error internal() takes nobody: it is the application's own authority
running.internal(somebody)
// @ts-expect-error wrong input of an internal operation
await running.internal().inside.getUser({ id: 1 })
// @ts-expect-error an address is text or a reference
rest({ url: 4000 })
rest({ url: "http://crm.test", deadline: { header: "Request-Timeout", unit: "s" } })
// @ts-expect-error a number without its unit is wrong by a factor of thousand
rest({ url: "http://crm.test", deadline: { header: "Request-Timeout" } })
// @ts-expect-error placeholder must satisfy the contract
op({ effect: "read", input: NewUser, output: User }).via(placeholder({ id: 1 }, "why"))
// @ts-expect-error placeholder must say why
op({ effect: "read", input: NewUser, output: z.object({ a: z.string() }) }).via(placeholder({ a: "1" }))
// @ts-expect-error a mapping must satisfy the contract
op({ effect: "read", input: NewUser, output: User }).via(crm.call("POST /x", { map: (_r) => ({ id: "1" }) }))
// @ts-expect-error bad route
op({ http: "FETCH /users", input: NewUser, output: User }).via(placeholder({ id: "1", name: "", email: "", state: "active" }, "why"))
const taken = { EMAIL_TAKEN: 409 }
// @ts-expect-error 409 mapped to a code the contract does not declare
op({ effect: "write", input: NewUser, output: User, errors: taken }).via(crm.call("POST /x", { errors: { 409: "EMAIL_TOKEN" } }))
// @ts-expect-error a code where the contract declares none
op({ effect: "write", input: NewUser, output: User }).via(crm.call("POST /x", { errors: { 409: "TYPO" } }))
// @ts-expect-error failing with an undeclared code
op({ effect: "write", input: NewUser, output: User, errors: { EMAIL_TAKEN: 409 } }).via(code((_u, ctx) => ctx.fail("EMAIL_TOKEN")))
// @ts-expect-error a backend must declare the codes of the operations it runs
op({ effect: "write", input: NewUser, output: User }).via(code((u, ctx) => ctx.run(createUser, u)))

// -- flows ------------------------------------------------------------------------------------------------
const flowing = op({ effect: "write", input: NewUser, output: User, errors: { EMAIL_TAKEN: 409, FULL: 410 } }).via(
  flow(async (u, s) => {
    const made = await s.run(createUser, u, { name: "make", undo: (user) => s.run(createUser, { ...u, name: user.name }) })
    holds<Same<typeof made, z.output<typeof User>>>()
    if (made.name === "") s.fail("FULL")
    return made
  }),
)
holds<Same<(typeof flowing)["~op"]["err"], "EMAIL_TAKEN" | "FULL">>()
// @ts-expect-error a flow must declare the codes of its steps
op({ effect: "write", input: NewUser, output: User }).via(flow(async (u, s) => s.run(createUser, u)))
// @ts-expect-error a flow fails with what its contract declares
op({ effect: "write", input: NewUser, output: User }).via(flow(async (_, s) => s.fail("FULL")))
// @ts-expect-error its answer is that of its contract
op({ effect: "write", input: NewUser, output: User }).via(flow(async () => ({ id: "1" })))
// @ts-expect-error what is lost with the process says why
op({ effect: "write", input: NewUser, output: User }).via(flow(async (_, s) => s.fail("CONFLICT"), { durable: false }))

// -- files, streams and lists -----------------------------------------------------------------------------
const withFile = op({
  effect: "write",
  input: file({ limit: "1gb", types: ["video/*"], fields: z.object({ id: z.string(), n: z.number().optional() }) }),
  output: file(),
}).via(
  code(({ id, n, file: given }) => {
    const seen: [string, number | undefined, FileBody] = [id, n, given]
    return seen[2]
  }),
)
holds<Same<(typeof withFile)["~op"]["out"], FileBody>>()
op({ effect: "write", input: file(), output: nothing }).via(crm.call("PUT /files", { body: raw((i) => i.file) }))
op({ effect: "write", input: file({ fields: z.object({ title: z.string() }) }), output: nothing }).via(
  crm.call("PUT /files", { body: multipart((i) => ({ title: i.title.trim(), file: i.file })) }),
)
op({ effect: "write", input: NewUser, output: nothing }).via(crm.call("POST /users", { body: form((u) => ({ name: u.name.trim() })) }))
// @ts-expect-error the input has no such field
op({ effect: "write", input: NewUser, output: nothing }).via(crm.call("POST /users", { body: form((u) => ({ name: u.nothing })) }))
const listed = op({ effect: "read", input: z.object({}), output: stream(z.object({ n: z.string().transform(Number) })) }).via(
  code(() => [{ n: "1" }]),
)
holds<Same<(typeof listed)["~op"]["out"], AsyncIterable<{ n: number }>>>()
op({ effect: "read", input: z.object({}), output: stream(z.object({ n: z.number() })) }).via(
  crm.pages("GET /rows", {
    next: cursor("after", (reply) => reply.next),
    response: z.object({ rows: z.array(z.object({ no: z.number() })) }),
    items: ({ rows }) => rows.map(({ no }) => ({ n: no })),
  }),
)
op({ effect: "read", input: z.object({}), output: z.array(z.object({ n: z.number() })) }).via(
  crm.pages("GET /rows", { next: nextLink(), items: () => [{ n: 1 }] }),
)
op({ effect: "read", input: z.object({}), output: z.array(z.object({ n: z.number() })) }).via(
  // @ts-expect-error an item of another shape
  crm.pages("GET /rows", { next: nextLink(), items: () => [{ n: "1" }] }),
)
// @ts-expect-error an item of another shape
op({ effect: "read", input: z.object({}), output: stream(z.object({ n: z.number() })) }).via(code(() => [{ n: "1" }]))
op({ effect: "read", input: z.object({}), output: file() }).via(crm.call("GET /report", { answer: asFile, map: (found) => found }))
op({ effect: "read", input: z.object({}), output: z.string() }).via(crm.call("GET /text", { answer: asText, map: (text) => text.trim() }))
