import { type Checked, checkDeclarations } from "../runtime/check.ts"
import { checkPages } from "../runtime/check-pages.ts"
import type { TrestleOptions } from "./definition.ts"

/** Everything wrong with an application, all at once. Resolves no reference, opens nothing, never throws. */
export function checkApplication({ ops, defaults = {}, pages }: TrestleOptions<object>, epoch?: number): Checked {
  const checked = checkDeclarations(ops, defaults, epoch)
  return pages === undefined ? checked : { ...checked, findings: [...checked.findings, ...checkPages(pages)] }
}
