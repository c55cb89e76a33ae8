// What the types of SQL and `crud` promise: compiled by `tsc --noEmit`, never run. Each `@ts-expect-error` proves itself.
import { z } from "zod"
import { anyone, crud, nothing, op, type Remote, role, sql, sqlite, trestle } from "../index.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_T extends true>(): void => {}

const db = sqlite({ file: ":memory:" })
const Question = z.object({
  id: z.string(),
  text: z.string(),
  level: z.enum(["junior", "senior"]),
  points: z.number().int(),
  hint: z.string().nullable(),
})
const NewQuestion = Question.omit({ id: true })

// -- statements ------------------------------------------------------------------------------------
export const draw = op({
  effect: "read",
  input: z.object({ level: z.enum(["junior", "senior"]), n: z.number().int() }),
  output: z.array(Question),
}).via(
  db.many((i) => sql`select * from questions where level = ${i.level} order by random() limit ${i.n}`, {
    row: (row, i) => ({ id: row.id, text: row.text, level: i.level, points: row.points, hint: null }),
  }),
)
export const assign = op({
  effect: "write",
  input: z.object({ text: z.string() }),
  output: z.object({ level: z.enum(["a", "b"]) }),
  errors: { TAKEN: 409 },
}).via(
  db.one((i) => sql`insert into sets (text) values (${i.text}) returning level`, {
    row: () => ({ level: "a" }),
    missing: "TAKEN",
    errors: { unique: "TAKEN", foreignKey: "NOT_FOUND" },
  }),
)
export const clear = op({ effect: "write", input: nothing, output: nothing }).via(
  db.run(() => sql`delete from sets`, { missing: "NOT_FOUND" }),
)
export const move = op({
  effect: "write",
  input: z.object({ id: z.string() }),
  output: z.object({ left: z.number() }),
  errors: { EMPTY: 409 },
}).via(
  db.transaction(async (tx, { id }, { fail, user }) => {
    const row = await tx.one<{ n: number }>(sql`select n from sets where id = ${id}`, "EMPTY")
    holds<Same<typeof row, { n: number }>>()
    const changed = await tx.run(sql`update sets set owner = ${user?.id ?? null}`)
    holds<Same<typeof changed, number>>()
    return row.n > 0 ? { left: row.n } : fail("EMPTY")
  }),
)

const id: string | undefined = undefined as string | undefined
// @ts-expect-error what may be missing must say what it then is
sql`select ${id}`
sql`select ${id ?? null}`
// @ts-expect-error an object is no value
sql`select ${{ a: 1 }}`
// @ts-expect-error a list is written with sql.list
sql`select 1 where id in (${["a", "b"]})`
sql`select 1 where id in (${sql.list(["a", "b"])})`
// @ts-expect-error a text is no statement
sql("select 1")
// @ts-expect-error no other separator
sql.join([sql`a`], ";")
// @ts-expect-error a statement is made by sql
op({ effect: "write", input: nothing, output: nothing }).via(db.run(() => "delete from sets"))
// @ts-expect-error a row must be mapped to the contract's output
op({ effect: "read", input: nothing, output: z.object({ n: z.number() }) }).via(db.one(() => sql`select 1`, { row: () => ({ n: "1" }) }))
// @ts-expect-error each row is mapped to one item
op({ effect: "read", input: nothing, output: z.array(z.number()) }).via(db.many(() => sql`select 1`, { row: () => "1" }))
// @ts-expect-error a code that the contract does not declare
op({ effect: "write", input: nothing, output: nothing }).via(db.run(() => sql`delete from sets`, { errors: { unique: "TAKEN" } }))
// @ts-expect-error a rule that no table has
op({ effect: "write", input: nothing, output: nothing }).via(db.run(() => sql`delete from sets`, { errors: { uniqe: "CONFLICT" } }))
// @ts-expect-error the answer of a transaction must satisfy the contract
op({ effect: "write", input: nothing, output: z.number() }).via(db.transaction(async () => "1"))
const emptied = op({ effect: "write", input: nothing, output: nothing, errors: { EMPTY: 409 } })
// @ts-expect-error failing with an undeclared code
emptied.via(db.transaction(async (_tx, _i, { fail }) => fail("EMTPY")))
// @ts-expect-error other operations are none of its statements
op({ effect: "write", input: nothing, output: nothing }).via(db.transaction(async (_tx, _i, ctx) => void ctx.run(clear, undefined)))
// @ts-expect-error an option that there is not
sqlite({ file: "x.db", pool: 5 })

// -- crud ---------------------------------------------------------------------------------------------
const table = db.table("questions", Question)
const access = { allow: { read: anyone("public"), write: role("admin") }, anyObject: "they belong to nobody" } as const
const questions = crud({
  ...access,
  http: "/questions",
  table,
  id: "id",
  create: NewQuestion,
  update: NewQuestion.partial(),
  filter: ["level", "hint"],
  sort: ["points"],
})
const some = crud({
  ...access,
  http: "/questions",
  table,
  id: "id",
  create: NewQuestion,
  update: NewQuestion.partial(),
  only: ["list", "get"],
})
const app = trestle({ name: "types", ops: { questions, some } })

export async function uses(api: Remote<(typeof app)["ops"]>): Promise<void> {
  const { items, next } = await api.questions.list({ level: "junior", hint: null, sort: "-points", limit: 10 })
  holds<Same<typeof next, string | null>>()
  holds<Same<(typeof items)[number], z.infer<typeof Question>>>()
  const one = await api.questions.get({ id: "q1" })
  one.points.toFixed()
  await api.questions.create({ text: "", level: "junior", points: 1, hint: null })
  await api.questions.update({ id: "q1", points: 3 })
  holds<Same<Awaited<ReturnType<typeof api.questions.remove>>, void>>()
  // @ts-expect-error no column of `filter`
  await api.questions.list({ text: "x" })
  // @ts-expect-error a value that the column never has
  await api.questions.list({ level: "expert" })
  // @ts-expect-error no column of `sort`
  await api.questions.list({ sort: "text" })
  // @ts-expect-error nothing to sort by
  await api.some.list({ sort: "points" })
  // @ts-expect-error the key is made, not given
  await api.questions.create({ id: "q1", text: "", level: "junior", points: 1, hint: null })
  // @ts-expect-error an update names its row
  await api.questions.update({ points: 3 })
  // @ts-expect-error a key of the wrong type
  await api.questions.get({ id: 1 })
  // @ts-expect-error not among `only`
  await api.some.remove({ id: "q1" })
}

const whole = { ...access, http: "/questions", table, create: NewQuestion, update: NewQuestion.partial() } as const
// @ts-expect-error a key that is no column
crud({ ...whole, id: "uid" })
// @ts-expect-error a filter that is no column
crud({ ...whole, id: "id", filter: ["colour"] })
// @ts-expect-error a scope that names no column
crud({ ...whole, id: "id", scope: (who) => ({ owner: who.id }) })
crud({ ...whole, id: "id", scope: (who) => ({ text: who.id }) })
// @ts-expect-error an operation that there is not
crud({ ...whole, id: "id", only: ["lists"] })
