/** Something wrong with a declaration or a configuration, found before the first call; in the manner of a good compiler. */
export interface Finding {
  /** Stable, `TRS1002`; every code has a page in `docs/reference/findings.md`. */
  readonly code: string
  /** `error` refuses the start, `warning` does not. */
  readonly severity: "error" | "warning"
  /** One sentence: what is wrong, with the operation's path or the variable's name. */
  readonly message: string
  /** `file:line`, or where the value was looked for. */
  readonly at: string
  readonly file: string | null
  readonly line: number | null
  /** The source lines round the place; empty where the source cannot be read. */
  readonly excerpt: string
  /** Why this is refused. */
  readonly why: string
  /** What to do, with code to paste. */
  readonly fix: string
}
