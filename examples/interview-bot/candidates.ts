// Candidates: registered and read at the people service, or at its replica.
import { anyone, code, fallback, op, role, signedIn } from "trestle"
import { z } from "zod"
import { Candidate, NewCandidate, Person, PersonPage, toCandidate, toPerson } from "./people.ts"
import { people, peopleReplica } from "./services.ts"
import { tokens } from "./tokens.ts"

const ById = z.object({ id: z.string().regex(/^\d{1,12}$/) })

/** Makes the record. Internal: only `register` runs it. */
export const createPerson = op({
  summary: "Create the record at the people service",
  effect: "write",
  input: NewCandidate,
  output: Candidate,
  errors: { EMAIL_TAKEN: 409 },
}).via(
  fallback(
    people.call("POST /v2/people", {
      body: (c) => toPerson(c),
      response: Person,
      map: (p) => toCandidate(p),
      errors: { 409: "EMAIL_TAKEN" },
    }),
    peopleReplica.call("POST /v2/people", {
      body: (c) => toPerson(c),
      response: Person,
      map: (p) => toCandidate(p),
      errors: { 409: "EMAIL_TAKEN" },
    }),
  ),
)

/** Reads a record, whoever asks: what ownership is decided on. */
export const findPerson = op({ summary: "Read a candidate's record", effect: "read", input: ById, output: Candidate }).via(
  fallback(
    people.call("GET /v2/people/{id}", { response: Person, map: (p) => toCandidate(p) }),
    peopleReplica.call("GET /v2/people/{id}", { response: Person, map: (p) => toCandidate(p) }),
  ),
)

export const register = op({
  http: "POST /candidates",
  summary: "Register a candidate; the answer holds the candidate's own token",
  input: NewCandidate,
  output: z.object({ id: z.string(), token: z.string() }),
  errors: { EMAIL_TAKEN: 409 },
  allow: anyone("sign-up form of the careers page"),
  deadline: "5s",
}).via(
  code(async (candidate, ctx) => {
    const { id } = await ctx.run(createPerson, candidate)
    return { id, token: await tokens.issue(id) }
  }),
)

export const show = op({
  http: "GET /candidates/{id}",
  summary: "One candidate: to the candidate, and to recruiters",
  input: ById,
  output: Candidate,
  allow: signedIn(),
  owner: { load: findPerson, is: (row, who) => row.id === who.id || who.roles?.includes("recruiter") === true },
  deadline: "5s",
}).via(
  fallback(
    people.call("GET /v2/people/{id}", { response: Person, map: (p) => toCandidate(p) }),
    peopleReplica.call("GET /v2/people/{id}", { response: Person, map: (p) => toCandidate(p) }),
  ),
)

const PAGE_SIZE = 50

export const list = op({
  http: "GET /candidates",
  summary: `All candidates, ${PAGE_SIZE} a page`,
  input: z.object({ page: z.number().int().min(1).max(10_000).default(1) }),
  output: z.object({ candidates: z.array(Candidate), total: z.number().int() }),
  allow: role("recruiter"),
  deadline: "5s",
}).via(
  fallback(
    people.call("GET /v2/people", {
      query: (i) => ({ pg: i.page, pg_sz: PAGE_SIZE }),
      response: PersonPage,
      map: (p) => ({ candidates: p.rows.map(toCandidate), total: Number(p.total_cnt) }),
    }),
    peopleReplica.call("GET /v2/people", {
      query: (i) => ({ pg: i.page, pg_sz: PAGE_SIZE }),
      response: PersonPage,
      map: (p) => ({ candidates: p.rows.map(toCandidate), total: Number(p.total_cnt) }),
    }),
  ),
)
