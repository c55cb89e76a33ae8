// Candidates: registered and read at the people service, or at its replica.
import { anyone, code, defer, fallback, flow, op, type Principal, role, signedIn } from "trestle"
import { z } from "zod"
import {
  Candidate,
  CandidatePage,
  Made,
  MadePage,
  made,
  madePage,
  NewCandidate,
  person,
  personPage,
  Registration,
  registrationOf,
} from "./people.ts"
import { people, peopleReplica } from "./services.ts"
import { issueToken } from "./tokens.ts"

const ById = z.object({ id: z.string().regex(/^\d{1,12}$/) })

/** Whose record has an address: how it is found out what became of a registration of which nobody knows whether it has arrived. */
export const findByEmail = op({
  summary: "Find the record of an e-mail address",
  effect: "read",
  input: NewCandidate.pick({ email: true }),
  output: MadePage,
}).via(people.call("GET /v2/people", { query: ({ email }) => ({ e_mail: email.toLowerCase(), pg: 1, pg_sz: 1 }), map: madePage.read }))

/**
 * Makes the record. Internal: only `register` runs it. While the services are out the registration is kept and made later; what may have
 * arrived is looked up before it is sent again.
 */
export const createPerson = op({
  summary: "Create the record at the people service",
  effect: "write",
  input: Registration,
  output: Made.extend({ id: Made.shape.id.nullable() }),
  errors: { EMAIL_TAKEN: 409 },
}).via(
  fallback(
    people.call("POST /v2/people", { body: (c) => registrationOf(c), map: made.read, errors: { 409: "EMAIL_TAKEN" } }),
    peopleReplica.call("POST /v2/people", { body: (c) => registrationOf(c), map: made.read, errors: { 409: "EMAIL_TAKEN" } }),
    defer(() => ({ id: null }), {
      key: (c) => c.email.toLowerCase(),
      reconcile: async ({ email, reference }, ctx) => {
        const { records } = await ctx.run(findByEmail, { email })
        return records.find((record) => record.reference === reference) ?? null
      },
      expires: "2d",
    }),
  ),
)

/**
 * Whose record an id names: what ownership is decided on. A candidate's id is the id of the record, so the people service need not be
 * asked for it: a record is loaded once, for the answer, and an interview goes on while that service is out.
 */
export const findOwner = op({ summary: "Whose record an id names", effect: "read", input: ById, output: ById }).via(
  code(({ id }) => ({ id })),
)

export const isSelf = (row: { readonly id: string }, who: Principal): boolean => row.id === who.id
export const isRecruiter = (who: Principal): boolean => who.roles?.includes("recruiter") === true

export const register = op({
  http: "POST /candidates",
  summary: "Register a candidate; the answer holds the candidate's own token, and comes later when the people service is out",
  input: NewCandidate,
  output: z.object({ id: z.string(), token: z.string() }),
  errors: { EMAIL_TAKEN: 409 },
  allow: anyone("sign-up form of the careers page"),
  deadline: "5s",
}).via(
  flow(
    async (candidate, s) => {
      const reference = `registration ${await s.random()}`
      const { id } = await s.run(createPerson, { ...candidate, reference }, { name: "making your record" })
      // A step that was put off goes on when it is done, so the number is there.
      return { id: id!, token: issueToken(id!) }
    },
    { within: "2d" },
  ),
)

export const show = op({
  http: "GET /candidates/{id}",
  summary: "One candidate: to the candidate, and to recruiters",
  input: ById,
  output: Candidate,
  drift: "repair",
  allow: signedIn(),
  owner: { load: findOwner, is: (row, who) => isSelf(row, who) || isRecruiter(who) },
  deadline: "5s",
}).via(fallback(people.call("GET /v2/people/{id}", { map: person.read }), peopleReplica.call("GET /v2/people/{id}", { map: person.read })))

const PAGE_SIZE = 50

export const list = op({
  http: "GET /candidates",
  summary: `All candidates, ${PAGE_SIZE} a page`,
  input: z.object({ page: z.number().int().min(1).max(10_000).default(1) }),
  output: CandidatePage,
  drift: "repair",
  allow: role("recruiter"),
  deadline: "5s",
}).via(
  fallback(
    people.call("GET /v2/people", {
      query: (i) => ({ pg: i.page, pg_sz: PAGE_SIZE }),
      map: personPage.read,
    }),
    peopleReplica.call("GET /v2/people", {
      query: (i) => ({ pg: i.page, pg_sz: PAGE_SIZE }),
      map: personPage.read,
    }),
  ),
)
