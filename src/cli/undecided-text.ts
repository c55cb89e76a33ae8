import type { DeskJob } from "../durable/job-desk.ts"
import type { Undecided } from "../durable/settling.ts"
import { asTyped } from "./as-typed.ts"
import { shown } from "./paint.ts"

/** What is undecided, each with the two commands that decide it. Empty where nothing is. */
export function undecidedText(
  { id }: Pick<DeskJob, "id">,
  undecided: readonly Undecided[],
  { app }: { readonly app?: string } = {},
): string {
  return undecided
    .map(({ step, operation, isSilent }) => {
      const what = step === null ? operation : `step ${shown(step)} (${operation})`
      const settle = [asTyped("trestle jobs settle"), word(id), ...(step === null ? [] : ["--step", word(step)])].join(" ")
      const where = app === undefined ? "" : ` --app ${word(app)}`
      const answer = isSilent ? "" : " --answer '<its answer, as JSON>'"
      return `
undecided: nobody knows whether ${what} has happened. Find out, then say:
  ${settle} --happened${answer} --why '<how you know>'${where}
  ${settle} --not-happened --why '<how you know>'${where}
`
    })
    .join("")
}

/** One word of a POSIX shell. */
function word(text: string): string {
  const safe = shown(text)
  return /^[\w./:@%+=,-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", `'\\''`)}'`
}
