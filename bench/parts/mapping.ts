/** The same record through the mapping toolkit. */
import { z } from "zod"
import { date, from, mapping, oneOf, text, yesNo } from "../trestle.ts"
import { measure, right } from "./measure.ts"
import { raw } from "./person.ts"

const Candidate = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  level: z.enum(["junior", "senior"]),
  active: z.boolean(),
  registeredOn: z.iso.date(),
})
const person = mapping(Candidate, {
  id: from("person_no", text),
  name: from("full_nm", text),
  email: from("e_mail", text),
  level: from("lvl_cd", oneOf({ "1": "junior", "2": "senior" })),
  active: from("active_yn", yesNo),
  registeredOn: from("reg_dt", date("dd/MM/yyyy")),
})

await measure((n) => {
  const candidate = person.read(raw(n))
  right(candidate.registeredOn === "2026-11-02" && candidate.active)
}, 10_000)
