import { type Converter, Mended, NOT } from "./converter.ts"
import { converter } from "./part.ts"

/** Any text, unchanged; an empty one is a text. Mends a whole number or a boolean, whose text is beyond doubt. */
export const text = converter<string>({
  noun: "text",
  takesEmpty: true,
  read: (value) => (typeof value === "string" ? value : NOT),
  mend: asText,
  write: (value) => value,
})

/** A text without blanks at its ends, and not empty. Mends one that has them, and what `text` mends. */
export const trimmed = converter<string>({
  noun: "text without blanks round it",
  read: (value) => (typeof value === "string" && value !== "" && value.trim() === value ? value : NOT),
  mend: (value) => (typeof value === "string" ? mendBlanks(value, (inner) => (inner === "" ? NOT : inner)) : asText(value)),
  write: (value) => (value !== "" && value.trim() === value ? value : NOT),
})

/**
 * A text of a certain form, named for messages: `matching(/^[A-Z]{2}[0-9]+$/, "account number")`. Mends blanks round it, and what `text`
 * mends, where the result has that form.
 */
export function matching(pattern: RegExp, noun: string): Converter<string> {
  const fits = (value: string): boolean => pattern.test(value)
  return converter<string>({
    noun,
    takesEmpty: !isStateful(pattern) && fits(""),
    mistakes: isStateful(pattern) ? [`${String(pattern)} remembers where it was: leave out its flag g or y`] : [],
    read: (value) => (typeof value === "string" && fits(value) ? value : NOT),
    mend(value) {
      const mended = mendBlanks(value, (inner) => (fits(inner) ? inner : NOT)) ?? asText(value)
      return mended && fits(mended.value) ? mended : null
    },
    write: (value) => (fits(value) ? value : NOT),
  })
}

function isStateful({ global, sticky }: RegExp): boolean {
  return global || sticky
}

function asText(value: unknown): Mended<string> | null {
  if (Number.isSafeInteger(value) || typeof value === "bigint") return new Mended(String(value), "a number instead of a text")
  return typeof value === "boolean" ? new Mended(String(value), "a boolean instead of a text") : null
}

/** What is read once the blanks round a text are gone; nothing where there were none. */
function mendBlanks<T>(value: unknown, read: (inner: string) => T | typeof NOT): Mended<T> | null {
  if (typeof value !== "string") return null
  const inner = value.trim()
  if (inner === value) return null
  const taken = read(inner)
  return taken === NOT ? null : new Mended(taken as T, "with blanks round it")
}
