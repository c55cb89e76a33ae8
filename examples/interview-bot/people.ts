// The people service's records and ours. Its names, string numbers, "Y"/"N" flags and day-first dates stay in this file.
import { date, decimal, from, list, mapping, matching, oneOf, optional, text, trimmed, yesNo } from "trestle/mapping"
import { z } from "zod"

export const Level = z.enum(["junior", "senior"], "Please choose junior or senior.")

export const NewCandidate = z.object({
  name: z.string().trim().min(1, "Please enter your name.").max(200, "At most 200 characters, please."),
  email: z.email("Please enter an e-mail address, such as ada@example.org.").max(254, "At most 254 characters, please."),
  level: Level,
})

export const Candidate = z.object({
  id: z.string().regex(/^\d+$/),
  name: z.string(),
  email: z.string(),
  level: Level,
  active: z.boolean(),
  registeredOn: z.iso.date(),
})

/** A candidate whose record may still be on its way: then nobody knows its number. */
export const Registered = Candidate.extend({ id: Candidate.shape.id.nullable() })

export const CandidatePage = z.object({ candidates: z.array(Candidate), total: z.number().int() })

const fields = {
  name: from("full_nm", trimmed),
  email: from("e_mail", text),
  level: from("lvl_cd", oneOf({ "1": "junior", "2": "senior" })),
  active: from("active_yn", yesNo),
  // Records that were taken over from an older register still have its dates.
  registeredOn: from("reg_dt", date("dd/MM/yyyy", { drift: "d.M.yyyy" })),
}

const id = from("person_no", matching(/^\d+$/, "number of a person"))

/** Their record as our candidate. */
export const person = mapping(Candidate, { id, ...fields })

/** Their page of records as ours. */
export const personPage = mapping(CandidatePage, { candidates: from("rows", list(person)), total: from("total_cnt", decimal()) })

/**
 * A registration on its way. The people service knows no idempotency keys, but it keeps a remark with every record: ours says which registration
 * has made it, so that a record is never taken for that of somebody else who has the same address.
 */
export const Registration = NewCandidate.extend({ reference: z.string().max(64) })

/** A record as far as a registration has to know it. */
export const Made = z.object({ id: Candidate.shape.id, reference: z.string().optional() })

export const made = mapping(Made, { id, reference: from("remark", optional(text)) })

export const MadePage = z.object({ records: z.array(Made) })

export const madePage = mapping(MadePage, { records: from("rows", list(made)) })

const registration = mapping(Candidate.omit({ id: true }).extend({ reference: z.string() }), { ...fields, reference: from("remark", text) })

/** The record that registers a candidate. */
export function registrationOf(candidate: z.infer<typeof Registration>, today = new Date()): Record<string, unknown> {
  const registeredOn = today.toISOString().slice(0, 10)
  return registration.write({ ...candidate, email: candidate.email.toLowerCase(), active: true, registeredOn })
}
