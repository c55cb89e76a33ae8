/** A record as the people service sends it. */
export function raw(n: number): Record<string, string> {
  return { person_no: String(n), full_nm: "Ada Lovelace", e_mail: "ada@example.org", lvl_cd: "2", active_yn: "Y", reg_dt: "02/11/2026" }
}
