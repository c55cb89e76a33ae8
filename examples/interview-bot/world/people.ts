import type { PeopleStore, Person, PersonFields } from "./people-store.ts"
import { type Answer, type Asked, isObject, objectIn, type Site } from "./site.ts"

/** The register of people: strings for everything, and no idea of idempotency keys. */
export function peopleSite(store: PeopleStore, token: string): Site {
  return {
    token,
    error,
    drift,
    routes: [
      { method: "GET", path: "/ping", isOpen: true, answer: () => ({ status: 200, body: { st: "UP" } }) },
      { method: "POST", path: "/v2/people", answer: (asked) => register(store, asked.text) },
      { method: "GET", path: "/v2/people", answer: (asked) => page(store.all(), asked.query) },
      { method: "GET", path: "/v2/people/{person_no}", answer: (asked) => one(store, asked) },
    ],
  }
}

function error(status: number, err_cd: string, err_txt: string): Answer {
  return { status, body: { err_cd, err_txt } }
}

type Rule = { test: (text: string) => boolean; wanted: string }

const rules: Record<Exclude<keyof PersonFields, "remark">, Rule> = {
  full_nm: { test: (text) => text.trim().length > 0 && text.length <= 200, wanted: "1 to 200 characters" },
  e_mail: { test: (text) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text), wanted: "an e-mail address" },
  lvl_cd: { test: (text) => text === "1" || text === "2", wanted: '"1" or "2"' },
  active_yn: { test: (text) => text === "Y" || text === "N", wanted: '"Y" or "N"' },
  reg_dt: { test: (text) => isoDate(text) !== undefined, wanted: "a date as DD/MM/YYYY" },
}

async function register(store: PeopleStore, text: string): Promise<Answer> {
  const body = objectIn(text)
  if (!body) return error(422, "BAD_FIELD", "The body must be a JSON object.")
  const fields: Record<string, string> = {}
  for (const [name, rule] of Object.entries(rules)) {
    const value = body[name]
    if (typeof value !== "string" || !rule.test(value)) return error(422, "BAD_FIELD", `${name} must be ${rule.wanted}.`)
    fields[name] = value
  }
  const { remark } = body
  if (typeof remark === "string") fields.remark = remark.slice(0, 80)
  const added = await store.add(fields as PersonFields)
  return added ? { status: 201, body: added } : error(409, "DUP_EMAIL", "This e_mail is already registered.")
}

function one(store: PeopleStore, asked: Asked): Answer {
  const number = asked.params.person_no ?? ""
  const person = store.find(number) ?? takenOver.find(({ person_no }) => person_no === number)
  return person ? { status: 200, body: person } : error(404, "NO_SUCH_PERSON", "Nobody has this person_no.")
}

/** From an older register, found by their number only, in its own notation; of the last one nobody knows what its level and its day were. */
const takenOver = [
  { person_no: "901", full_nm: "Grace Hopper   ", e_mail: "grace@example.org", lvl_cd: 2, active_yn: "yes", reg_dt: "9.12.1996" },
  { person_no: "902", full_nm: "Alan Turing", e_mail: "alan@example.org", lvl_cd: "X", active_yn: "N", reg_dt: "31/02/1997" },
]

function page(all: Person[], query: URLSearchParams): Answer {
  const email = query.get("e_mail")
  const people = email === null ? all : all.filter(({ e_mail }) => e_mail === email)
  const number = query.get("pg") ?? "1"
  const size = query.get("pg_sz") ?? "50"
  if (!/^[1-9]\d{0,5}$/.test(number)) return error(422, "BAD_FIELD", "pg must be a number from 1.")
  if (!/^[1-9]\d{0,2}$/.test(size)) return error(422, "BAD_FIELD", "pg_sz must be a number from 1 to 999.")
  const start = (Number(number) - 1) * Number(size)
  return { status: 200, body: { rows: people.slice(start, start + Number(size)), total_cnt: String(people.length), pg: number } }
}

/** "22/11/2026" as "2026-11-22", or undefined when there is no such day. */
function isoDate(text: string): string | undefined {
  const [, day, month, year] = /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(text) ?? []
  const iso = `${year}-${month}-${day}`
  const time = Date.parse(iso)
  // A 31/02 is rolled over to March by some engines and refused by others; a round trip catches both.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== iso ? undefined : iso
}

function drift(body: unknown): unknown {
  if (!isObject(body)) return body
  if (Array.isArray(body.rows)) return { ...body, rows: body.rows.map(drift) }
  if (!("person_no" in body)) return body
  const { full_nm, person_no, reg_dt, ...rest } = body as Person
  return { person_no: Number(person_no), fullName: full_nm, ...rest, reg_dt: isoDate(reg_dt) }
}
