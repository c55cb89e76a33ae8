/**
 * A pointer to a value outside the program. It never holds the value: what is declared may be logged, printed and imported by tests,
 * and a start without the value fails instead of running with an empty credential.
 */
export interface Ref<T = string> {
  readonly ref: string
  readonly "~t"?: T
}

/** The full form of a reference; `Ref` shows only what the application needs. */
export interface Reference extends Ref {
  readonly secret: boolean
  readonly fallback: string | undefined
}

/** A secret by the name of its variable. Its value is masked wherever it would be written. */
export function secret(name: string): Ref {
  return reference(name, true, undefined)
}

/** A setting by the name of its variable; `fallback` is used where it is not set. */
export function env(name: string, fallback?: string): Ref {
  return reference(name, false, fallback)
}

function reference(ref: string, secret: boolean, fallback: string | undefined): Reference {
  return { ref, secret, fallback }
}

/** Whether a setting is a reference, and not the value itself. */
export function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && typeof (value as Reference).ref === "string"
}

/** Gives the present value of a resolved reference; a plain string is its own value. */
export interface References {
  read(reference: Ref | string): string
}
