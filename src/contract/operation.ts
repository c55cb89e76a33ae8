import type { Declaration, Verb } from "./op.ts"
import type { Shape } from "./shape.ts"

export interface HttpRoute {
  readonly verb: Verb
  /** As declared: `/users/{id}`. */
  readonly pattern: string
  readonly params: readonly string[]
}

/** How real an operation is. */
export type State = "placeholder" | "wired"

/** An operation after its declaration was read once and found good: everything the rooms above ask of it. */
export interface Operation {
  /** Its path in the application, which is its name: `users.create`. */
  readonly path: string
  readonly declaration: Declaration
  readonly effect: "read" | "write"
  readonly repeat: "none" | "natural"
  readonly deadlineMs: number
  readonly route: HttpRoute | null
  readonly input: Shape
  readonly output: Shape
  /** Answers with nothing: 204 over HTTP. */
  readonly isSilent: boolean
  /** HTTP status of a success. */
  readonly status: number
  readonly errors: Readonly<Record<string, number>>
  /** Open to callers without credentials. */
  readonly isPublic: boolean
  readonly state: State
  /** Why it is still a placeholder. */
  readonly why: string | null
}
