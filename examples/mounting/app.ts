// One application. Which server it is mounted in is not its business.
import { anyone, code, fromHost, nothing, op, type Principal, role, signedIn, trestle } from "trestle"
import { z } from "zod"

const Note = z.object({ id: z.string(), text: z.string().max(200) })
const notes = new Map([["1", { id: "1", text: "mounted" }]])

/** Every host of this folder puts whom it has signed in there. */
export interface Signed {
  readonly user?: Principal
}

export const app = trestle({
  name: "notes",
  authenticate: [fromHost(({ user }: Signed) => user ?? null)],
  ops: {
    hello: op({ http: "GET /hello", input: nothing, output: z.string(), allow: anyone("says hello") }).via(code(() => "hello")),
    whoami: op({ http: "GET /whoami", input: nothing, output: z.object({ id: z.string() }), allow: signedIn() }).via(
      code((_input, { user }) => ({ id: user!.id })),
    ),
    notes: {
      show: op({
        http: "GET /notes/{id}",
        input: z.object({ id: z.string() }),
        output: Note,
        errors: { NO_NOTE: 404 },
        allow: anyone("notes are public"),
        anyObject: "notes are public",
      }).via(code(({ id }, ctx) => notes.get(id) ?? ctx.fail("NO_NOTE"))),
      add: op({ http: "POST /notes", input: z.object({ text: Note.shape.text }), output: Note, allow: role("writer") }).via(
        code(({ text }) => {
          const note = { id: String(notes.size + 1), text }
          notes.set(note.id, note)
          return note
        }),
      ),
    },
  },
})

/** Stands for the session, the token check or whatever your server has already. */
export function userOf(token: string | undefined): Principal | undefined {
  return token === "Bearer letmein" ? { id: "ada", kind: "user", roles: ["writer"] } : undefined
}
