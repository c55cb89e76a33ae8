import { type CallFields, callLines, foldedLine, foldKey, readLine } from "./dev-lines.ts"
import type { Operations } from "./dev-messages.ts"
import type { Paint } from "./paint.ts"

export interface ScreenOptions {
  readonly write: (text: string) => void
  readonly paint: Paint
  /** Columns of the terminal; `null` where lines cannot be taken back. */
  readonly columns: () => number | null
}

interface Fold {
  readonly key: string
  readonly last: CallFields
  count: number
  msMin: number
  msMax: number
}

const UP_AND_CLEAR = "\u001b[1A\u001b[2K"

/**
 * What `trestle dev` shows: one line a call. Successes that are alike stand in one line with their number, written anew on a terminal; on a
 * pipe the number follows when something else happens, and at each power of ten. Failures are told in full.
 */
export class Screen {
  readonly #options: ScreenOptions
  #operations: Operations = {}
  #fold: Fold | null = null
  /** How many of the fold have been told. */
  #told = 0

  constructor(options: ScreenOptions) {
    this.#options = options
  }

  know(operations: Operations): void {
    this.#operations = operations
  }

  /** Finished lines of the log. */
  lines(json: string): void {
    for (const line of json.split("\n")) if (line !== "") this.#line(line)
    if (this.#options.columns() !== null) this.flush()
  }

  /** Anything else. */
  say(text: string): void {
    this.flush()
    this.#fold = null
    this.#options.write(text)
  }

  /** Tells what has been counted and not told. */
  flush(): void {
    const fold = this.#fold
    if (!fold || this.#told === fold.count) return
    const back = this.#options.columns() === null ? "" : UP_AND_CLEAR
    this.#options.write(back + foldedLine(fold, this.#options))
    this.#told = fold.count
  }

  #line(line: string): void {
    const read = readLine(line)
    if (read === null) return
    const key = "call" in read ? foldKey(read.call) : null
    if (key === null || !("call" in read)) return this.say(callLines(read, this.#operations, this.#options))
    if (this.#fold?.key === key) return this.#more(this.#fold, read.call)
    this.flush()
    this.#options.write(callLines(read, this.#operations, this.#options))
    this.#fold = { key, last: read.call, count: 1, msMin: read.call.ms, msMax: read.call.ms }
    this.#told = 1
  }

  #more(fold: Fold, { ms, time }: CallFields): void {
    const next: Fold = {
      ...fold,
      last: { ...fold.last, ms, time },
      count: fold.count + 1,
      msMin: Math.min(fold.msMin, ms),
      msMax: Math.max(fold.msMax, ms),
    }
    this.#fold = next
    if (this.#options.columns() === null && /^10+$/.test(String(next.count))) this.flush()
  }
}
