// What the types of mappings promise: compiled by `tsc --noEmit`, never run. Each `@ts-expect-error` proves itself.
import { z } from "zod"
import { env, op, rest } from "../index.ts"
import {
  computed,
  constant,
  converter,
  date,
  from,
  integer,
  list,
  mapping,
  money,
  NOT,
  nest,
  nullable,
  number,
  oneOf,
  optional,
  text,
  withDefault,
  yesNo,
} from "./index.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_T extends true>(): void => {}

const Candidate = z.object({
  id: z.string(),
  name: z.string(),
  level: z.enum(["junior", "senior"]),
  active: z.boolean(),
  registeredOn: z.iso.date(),
  nick: z.string().optional(),
  manager: z.string().nullable(),
  address: z.object({ street: z.string(), city: z.string() }),
  tags: z.array(z.string()),
})
const fields = {
  name: from(["full_nm", "fullName"], text),
  level: from("lvl_cd", oneOf({ "1": "junior", "2": "senior" }, { drift: "junior" })),
  active: from("active_yn", yesNo),
  registeredOn: from("reg_dt", date("dd/MM/yyyy", { drift: "yyyy-MM-dd" })),
  manager: from("mgr", nullable(text)),
  address: nest({ street: from("addr_street", text), city: from("addr_city", text) }),
  tags: from("tags", list(text)),
}
const person = mapping(Candidate, { id: from("person_no", text), ...fields })
const page = mapping(z.object({ rows: z.array(Candidate), total: z.number() }), {
  rows: from("rows", list(person)),
  total: from("total_cnt", integer),
})

// -- what is inferred -------------------------------------------------------------------------------------
holds<Same<ReturnType<typeof person.write>, Record<string, unknown>>>()
holds<Same<Parameters<typeof person.write>[0], z.infer<typeof Candidate>>>()
const read = person.read({})
holds<Same<typeof read.level, "junior" | "senior">>()
holds<Same<typeof read.nick, string | undefined>>()
const pages: z.infer<typeof Candidate>[] = page.read({}).rows
person.readAll([{}]).map(({ active }) => active)
mapping(Candidate, { id: from("person_no", text), ...fields, nick: from("nick", optional(text, ["missing", "null"])) })
mapping(z.object({ a: z.string().optional(), b: z.number().default(3) }), {
  a: from("a", optional(text)),
  b: from("b", withDefault(number, 3)),
})
mapping(z.object({ kind: z.literal("person"), v: z.number() }), { kind: constant("person"), v: constant(1) })
mapping(z.object({ at: z.object({ x: z.number() }).optional() }), { at: optional(nest({ x: from("x", number) })) })
mapping(z.object({ at: z.object({ x: z.number() }) }), { at: from("pos", nest({ x: from("x", number) })) })
const hex = converter<number>({ noun: "hexadecimal", read: (v) => (typeof v === "string" ? Number.parseInt(v, 16) : NOT) })
const oneWay = mapping(z.object({ sum: z.number(), h: z.number(), state: z.enum(["open", "shut"]) }), {
  sum: from("sal", money({ currency: "EUR" })),
  h: from("h", hex),
  state: computed((row: { n: number }) => (row.n > 0 ? "open" : "shut")),
})

// -- as map and body of calls ------------------------------------------------------------------------------
const people = rest({ url: env("PEOPLE_URL") })
const ById = z.object({ id: z.string() })
op({ effect: "read", input: ById, output: Candidate, drift: "repair" }).via(people.call("GET /p/{id}", { map: person.read }))
op({ effect: "read", input: z.object({}), output: z.array(Candidate) }).via(people.call("GET /p", { map: person.readAll }))
op({ effect: "write", input: Candidate, output: Candidate }).via(people.call("POST /p", { body: person.write, map: person.read }))
op({ effect: "write", input: Candidate, output: ById }).via(people.call("POST /p", { body: (c) => ({ ...person.write(c), by: "us" }) }))

// -- what must NOT compile ---------------------------------------------------------------------------------
// @ts-expect-error a field of the contract is missing
mapping(Candidate, fields)
// @ts-expect-error a field that the contract does not have
mapping(Candidate, { id: from("person_no", text), ...fields, nickname: from("nick", text) })
mapping(Candidate, {
  ...fields,
  // @ts-expect-error another type than the contract's
  id: from("person_no", number),
})
mapping(Candidate, {
  id: from("person_no", text),
  ...fields,
  // @ts-expect-error a value that the contract does not have
  level: from("lvl_cd", oneOf({ "1": "junior", "2": "boss" })),
})
mapping(Candidate, {
  id: from("person_no", text),
  ...fields,
  // @ts-expect-error the contract's field cannot be null
  name: from("full_nm", nullable(text)),
})
mapping(Candidate, {
  id: from("person_no", text),
  ...fields,
  // @ts-expect-error nor be left out
  name: from("full_nm", optional(text)),
})
mapping(Candidate, {
  id: from("person_no", text),
  ...fields,
  // @ts-expect-error a nested field is missing
  address: nest({ street: from("addr_street", text) }),
})
mapping(Candidate, {
  id: from("person_no", text),
  ...fields,
  // @ts-expect-error a source is declared with from()
  name: "full_nm",
})
// @ts-expect-error unknown codes are taken for one of ours
oneOf({ "1": "junior" }, { drift: "boss" })
// @ts-expect-error the default is of the field's type
withDefault(number, "3")
// @ts-expect-error it has no such way to be absent
optional(text, ["blank"])
// @ts-expect-error h and state go one way only
oneWay.write({ sum: 1, h: 1, state: "open" })
holds<Same<typeof oneWay.write, import("./index.ts").CannotBeWritten<"h" | "state">>>()
// @ts-expect-error nor as a body
op({ effect: "write", input: ById, output: ById }).via(people.call("POST /p", { body: oneWay.write }))
// @ts-expect-error it maps to something else than the contract's output
op({ effect: "read", input: ById, output: Candidate }).via(people.call("GET /p/{id}", { map: page.read }))
void pages
