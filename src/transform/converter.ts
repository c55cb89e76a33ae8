import type { Part } from "./part.ts"

/** What cannot be taken, and where it matters, why; never the value. */
export class Refusal {
  readonly why: string | null

  constructor(why: string | null) {
    this.why = why
  }
}

/** Not what the converter takes; there is nothing more to say. */
export const NOT = new Refusal(null)

/** What a converter gives for a value that it does not take. @param why ends the sentence that begins with the field's name */
export function refused(why: string): Refusal {
  return new Refusal(why)
}

/** A value put right with certainty, and how: `text with blanks around it`. Never the value. */
export class Mended<T> {
  readonly value: T
  readonly how: string

  constructor(value: T, how: string) {
    this.value = value
    this.how = how
  }
}

/** Whether a field can be mapped back. */
export type Way = "both" | "read"

/** What turns one value of theirs into one of ours, and back where `W` is `"both"`. */
export interface Converter<T, W extends Way = "both"> {
  readonly "~part": Part
  /** Carry the types only; never set. */
  readonly "~out"?: T
  readonly "~way"?: W
}

/** A converter of your own, for one value. The functions are pure and never throw. */
export interface ConverterRules<T> {
  /** What it takes, for messages: `date as dd/MM/yyyy`, after "is no". */
  readonly noun: string
  /** Takes what is exactly as declared; anything else is `NOT`, or `refused(why)`. Never gets `undefined` or `null`. */
  read(value: any): T | Refusal
  /** What else certainly means the same, though it is not as declared; else `null`, or `refused(why)`. Only asked after `read` refused. */
  mend?(value: any): Mended<T> | Refusal | null
  /** What `read` would take for the same value again. */
  write?(value: T): unknown
  /** An empty text is a value of it. Default: it is not. */
  readonly takesEmpty?: boolean
  /** What is wrong with its declaration; findings before the start. */
  readonly mistakes?: readonly string[]
}
