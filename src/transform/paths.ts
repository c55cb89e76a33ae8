/** A field of theirs; `undefined` where it is missing. */
export type Find = (source: any) => unknown

/** `addr.street` in its keys; a dot in a name is written `\.`. */
export function pathOf(name: string): { readonly keys: readonly string[]; readonly mistakes: readonly string[] } {
  const keys = name.split(/(?<!\\)\./).map((key) => key.replaceAll("\\.", "."))
  const mistakes = keys.some((key) => key === "") ? [`"${name}" is not a field's name, nor a path of names`] : []
  if (keys.includes("__proto__")) mistakes.push(`"${name}": no field can be called __proto__`)
  return { keys, mistakes }
}

/** Of several names, the first one that has a value; else the first that is there at all, with its null. */
export function finderOf(names: readonly string[]): Find {
  const finders = names.map((name) => finderOfPath(pathOf(name).keys))
  if (finders.length === 1) return finders[0]!
  return (source) => {
    let found: unknown
    for (const find of finders) {
      const value = find(source)
      if (value !== undefined && value !== null) return value
      found ??= value
    }
    return found
  }
}

function finderOfPath(keys: readonly string[]): Find {
  const [first, ...inner] = keys.map(finderOfKey)
  if (inner.length === 0) return first!
  return (source) => {
    let value = first!(source)
    for (const find of inner) {
      // A text has fields too, and they are never meant: its length, its methods.
      if (typeof value !== "object" || value === null) return undefined
      value = find(value)
    }
    return value
  }
}

/** Only names that every object inherits need the question whether they are its own; it costs more than the rest of a field. */
export function finderOfKey(key: string): Find {
  if (key in Object.prototype) return (source) => (Object.hasOwn(source, key) ? source[key] : undefined)
  return (source) => source[key]
}

/** False when another value is there already. */
export function putAt(target: Record<string, unknown>, path: readonly string[], value: unknown): boolean {
  let place = target
  for (const key of path.slice(0, -1)) {
    if (!Object.hasOwn(place, key)) place[key] = {}
    const inner = place[key]
    if (typeof inner !== "object" || inner === null) return false
    place = inner as Record<string, unknown>
  }
  const last = path[path.length - 1]!
  if (Object.hasOwn(place, last)) return place[last] === value
  place[last] = value
  return true
}
