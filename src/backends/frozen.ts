/** An answer that can be handed to many: nobody can change it. */
export interface Frozen {
  readonly value: unknown
  /** About what it takes in memory. */
  readonly bytes: number
}

const DEPTH_MAX = 128
const VALUE_BYTES = 16
const FIELD_BYTES = 24

/**
 * A frozen copy of a plain value: what JSON can say, and `undefined`. `null` when it holds anything else (a date, a map, an object of a
 * class, a stream), of which no copy could be given that is sure to be the same.
 *
 * A copy, because the original may be somebody's own: a table in memory must not freeze when it is answered with.
 */
export function frozen(value: unknown): Frozen | null {
  const copier = new Copier()
  const copy = copier.copy(value, 0)
  return copy === NOT_PLAIN ? null : { value: copy, bytes: copier.bytes }
}

const NOT_PLAIN = Symbol("not plain")

class Copier {
  bytes = 0

  copy(value: unknown, depth: number): unknown {
    this.bytes += VALUE_BYTES
    switch (typeof value) {
      case "string":
        this.bytes += 2 * value.length
        return value
      case "number":
      case "boolean":
      case "undefined":
        return value
      case "object":
        if (value === null) return null
        if (depth >= DEPTH_MAX) return NOT_PLAIN
        return Array.isArray(value) ? this.#list(value, depth + 1) : this.#fields(value as Record<string, unknown>, depth + 1)
      default:
        return NOT_PLAIN
    }
  }

  #list(values: readonly unknown[], depth: number): unknown {
    const copies: unknown[] = []
    for (let i = 0; i < values.length; i++) {
      const copy = this.copy(values[i], depth)
      if (copy === NOT_PLAIN) return NOT_PLAIN
      copies.push(copy)
    }
    return Object.freeze(copies)
  }

  #fields(value: Record<string, unknown>, depth: number): unknown {
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return NOT_PLAIN
    const copies: Record<string, unknown> = {}
    for (const name of Object.keys(value)) {
      // Assigning it would change what the copy is.
      if (name === "__proto__") return NOT_PLAIN
      const copy = this.copy(value[name], depth)
      if (copy === NOT_PLAIN) return NOT_PLAIN
      copies[name] = copy
      this.bytes += FIELD_BYTES + name.length
    }
    return Object.freeze(copies)
  }
}
