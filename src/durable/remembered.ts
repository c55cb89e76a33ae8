import type { Meta } from "../contract/call.ts"
import { type Issue, TrestleError } from "../errors/trestle-error.ts"
import type { SealedText } from "./sealed-text.ts"

/** How an answer was made, as far as whoever gets it again should know. */
type Made = Pick<Meta, "servedBy" | "degraded" | "ageMs" | "etag" | "work">

/** What is remembered under a key: the answer, or the error that was one. */
export interface Remembered {
  readonly made: Made
  /** Hash of the form that answers had: under another one, this one may not fit. */
  readonly form: string
  readonly value?: unknown
  readonly error?: {
    readonly code: string
    readonly detail: string
    readonly status: number
    readonly issues: readonly Issue[]
    readonly retryAfterMs?: number
  }
}

export function rememberedAnswer(value: unknown, meta: Meta, form: string): Remembered {
  return { made: madeOf(meta), form, ...(value === undefined ? {} : { value }) }
}

export function rememberedError({ code, detail, status, issues, retryAfterMs }: TrestleError, meta: Meta): Remembered {
  const error = { code, detail, status, issues, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { made: madeOf(meta), form: "", error }
}

/** The error as it was given, without what only the operator knew. */
export function errorAgain({ code, detail, ...options }: NonNullable<Remembered["error"]>): TrestleError {
  return new TrestleError(code, detail, { ...options, reason: "answered" })
}

/** `null` for what cannot be kept: an answer that holds a function. */
export function textOf(remembered: Remembered, id: string, seal: SealedText): string | null {
  try {
    return seal.writeAny(remembered, id)
  } catch {
    return null
  }
}

/** `null` for what cannot be read any more. */
export function readRemembered(text: string, id: string, seal: SealedText): Remembered | null {
  try {
    return seal.readAny(text, id) as Remembered | null
  } catch {
    return null
  }
}

function madeOf({ servedBy, degraded, ageMs, etag, work }: Meta): Made {
  return {
    servedBy,
    degraded,
    ...(ageMs === undefined ? {} : { ageMs }),
    ...(etag === undefined ? {} : { etag }),
    ...(work === undefined ? {} : { work }),
  }
}
