import { type Environment, SHELL } from "../config/environment.ts"
import type { Reference } from "../contract/reference.ts"

/** Of a secret that long, four characters give nothing away and tell two of them apart. */
const HINT_LENGTH_MIN = 20

/** Where a reference's value comes from: `HR_TOKEN ends …9f2c, from the shell, which shadows .env.local`. */
export function originOf({ ref, secret, fallback }: Reference, environment: Environment): string {
  const variable = environment.get(ref)
  if (!variable?.value) return fallback === undefined ? `${ref} is not set` : `${ref} is not set, its fallback holds`
  const { value, source, shadows } = variable
  const hint = secret && value.length >= HINT_LENGTH_MIN ? ` ends …${value.slice(-4)},` : ""
  const shadowed = shadows.length > 0 ? `, which shadows ${shadows.join(" and ")}` : ""
  return `${ref}${hint} from ${source}${shadowed}`
}

/** What to type to give it another value: in the file that decides now, or before it where the shell does. */
export function correctionOf({ ref }: Reference, environment: Environment): string {
  const variable = environment.get(ref)
  if (!variable?.value) return `${ref}=... in .env.local`
  const { source, shadows } = variable
  if (source === SHELL) return shadows.length > 0 ? `unset ${ref}, so that ${shadows[0]} holds; or export ${ref}=...` : `export ${ref}=...`
  return `${ref}=... in ${source}`
}
