// The people service's records and ours. Its names, string numbers, "Y"/"N" flags and day-first dates stay in this file.
import { z } from "zod"

export const Level = z.enum(["junior", "senior"], "Please choose junior or senior.")

export const NewCandidate = z.object({
  name: z.string().trim().min(1, "Please enter your name.").max(200, "At most 200 characters, please."),
  email: z.email("Please enter an e-mail address, such as ada@example.org.").max(254, "At most 254 characters, please."),
  level: Level,
})

export const Candidate = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  level: Level,
  active: z.boolean(),
  registeredOn: z.iso.date(),
})

/** A record as the service sends it. */
export const Person = z.object({
  person_no: z.string().regex(/^\d+$/),
  full_nm: z.string(),
  e_mail: z.string(),
  lvl_cd: z.enum(["1", "2"]),
  active_yn: z.enum(["Y", "N"]),
  reg_dt: z.string().regex(/^\d{2}\/\d{2}\/\d{4}$/),
})

export const PersonPage = z.object({ rows: z.array(Person), total_cnt: z.string().regex(/^\d+$/) })

export function toPerson(candidate: z.infer<typeof NewCandidate>, today = new Date()): Omit<z.infer<typeof Person>, "person_no"> {
  const [year, month, day] = today.toISOString().slice(0, 10).split("-")
  return {
    full_nm: candidate.name,
    e_mail: candidate.email.toLowerCase(),
    lvl_cd: candidate.level === "senior" ? "2" : "1",
    active_yn: "Y",
    reg_dt: `${day}/${month}/${year}`,
  }
}

export function toCandidate(person: z.infer<typeof Person>): z.infer<typeof Candidate> {
  const [day, month, year] = person.reg_dt.split("/")
  return {
    id: person.person_no,
    name: person.full_nm,
    email: person.e_mail,
    level: person.lvl_cd === "2" ? "senior" : "junior",
    active: person.active_yn === "Y",
    registeredOn: `${year}-${month}-${day}`,
  }
}
