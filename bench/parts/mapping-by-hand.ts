/** A record of the people service, mapped and checked by hand, field by field, as a careful engineer would. */
import { measure, right } from "./measure.ts"
import { raw } from "./person.ts"

const LEVELS: Readonly<Record<string, "junior" | "senior">> = { "1": "junior", "2": "senior" }

function read(p: any) {
  if (typeof p.person_no !== "string" || typeof p.full_nm !== "string" || typeof p.e_mail !== "string") throw new Error("not text")
  const level = Object.hasOwn(LEVELS, p.lvl_cd) ? LEVELS[p.lvl_cd]! : null
  if (level === null) throw new Error("no level")
  if (p.active_yn !== "Y" && p.active_yn !== "N") throw new Error("no flag")
  const date = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(p.reg_dt)
  if (!date || Number(date[2]) > 12 || Number(date[1]) > new Date(Date.UTC(Number(date[3]), Number(date[2]), 0)).getUTCDate())
    throw new Error("no date")
  return {
    id: p.person_no,
    name: p.full_nm,
    email: p.e_mail,
    level,
    active: p.active_yn === "Y",
    registeredOn: `${date[3]}-${date[2]}-${date[1]}`,
  }
}

await measure((n) => {
  const candidate = read(raw(n))
  right(candidate.registeredOn === "2026-11-02" && candidate.active)
}, 10_000)
