/** For what only a mistake in Trestle itself can break. Operating failures are TrestleErrors, never this. */
export class AssertionError extends Error {
  override readonly name = "AssertionError"
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(`${message} (this is a bug in Trestle)`)
}
