/** Words that cannot name a type, and names that the declarations use themselves. */
const TAKEN = [
  "Api",
  "Exposed",
  "FileBody",
  "FileSource",
  "AsyncIterable",
  "Record",
  "any",
  "unknown",
  "never",
  "string",
  "number",
  "boolean",
]
const RESERVED = ["object", "symbol", "bigint", "undefined", "null", "void", "true", "false"]

/** Gives each thing a type's name of its own: `users.create.input` is `UsersCreateInput`. */
export class TypeNames {
  readonly #taken = new Set([...TAKEN, ...RESERVED])
  readonly #of = new Map<string, string>()

  /** @param wished a path, or a reference into a document, which never share a name */
  of(wished: string): string {
    const known = this.#of.get(wished)
    if (known !== undefined) return known
    const words = wished
      .replace(/^#\/components\/schemas\//, "")
      .split(/[^A-Za-z0-9]+/)
      .filter(Boolean)
    const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("")
    const base = /^[A-Za-z]/.test(joined) ? joined : `Type${joined}`
    let name = base
    for (let count = 2; this.#taken.has(name); count++) name = base + count
    this.#taken.add(name)
    this.#of.set(wished, name)
    return name
  }
}
