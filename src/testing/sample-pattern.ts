/**
 * The shortest text that a simple regular expression takes: literals, classes, `.`, groups, alternatives (the first that works), anchors
 * and quantifiers. `null` where it cannot be told: look-arounds, back references, properties.
 */
export function sampleOfPattern(pattern: string): string | null {
  const reader = new PatternReader(pattern)
  const text = reader.alternatives()
  if (text === null || !reader.isAtEnd) return null
  try {
    return new RegExp(pattern, "u").test(text) ? text : null
  } catch {
    return new RegExp(pattern).test(text) ? text : null
  }
}

const CLASSES: Readonly<Record<string, string>> = { d: "1", w: "a", s: " ", D: "a", W: "-", S: "a" }
/** Tried for a class that excludes characters. */
const CANDIDATES = "a1A-_ .@~"

class PatternReader {
  readonly #pattern: string
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#pattern.length
  }

  alternatives(): string | null {
    const found: (string | null)[] = [this.#sequence()]
    while (this.#peek() === "|") {
      this.#at++
      found.push(this.#sequence())
    }
    return found.find((text) => text !== null && text !== "") ?? found.find((text) => text !== null) ?? null
  }

  #peek(): string | undefined {
    return this.#pattern[this.#at]
  }

  #sequence(): string | null {
    let text: string | null = ""
    while (!this.isAtEnd && this.#peek() !== "|" && this.#peek() !== ")") {
      const atom = this.#atom()
      const times = this.#quantifier()
      if (atom === null) text = null
      else if (text !== null) text += atom.repeat(times)
    }
    return text
  }

  #atom(): string | null {
    const first = this.#pattern[this.#at++]!
    if (first === "^" || first === "$") return ""
    if (first === ".") return "a"
    if (first === "[") return this.#class()
    if (first === "\\") return this.#escape()
    if (first !== "(") return first
    const isPlain = this.#peek() !== "?"
    if (!isPlain && this.#pattern.startsWith("?:", this.#at)) this.#at += 2
    else if (!isPlain) {
      // A look-around or a named group: the rest cannot be trusted.
      this.#at = this.#pattern.length
      return null
    }
    const inner = this.alternatives()
    this.#at++
    return inner
  }

  #escape(): string | null {
    const next = this.#pattern[this.#at++]
    if (next === undefined || /[1-9pPkuxc]/.test(next)) return null
    if (next === "b" || next === "B") return ""
    return CLASSES[next] ?? next
  }

  #class(): string | null {
    const end = /^\^?(?:\\.|[^\]\\])*\]/.exec(this.#pattern.slice(this.#at))
    if (!end) return null
    const source = `[${end[0]}`
    this.#at += end[0].length
    try {
      const taken = new RegExp(`^${source}$`, "u")
      const own = source.replace(/^\[\^?|\]$/g, "")
      return [...CANDIDATES, ...own].find((letter) => taken.test(letter)) ?? null
    } catch {
      return null
    }
  }

  /** The fewest repetitions, but one where none would do: an empty text says little. */
  #quantifier(): number {
    const match = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(this.#pattern.slice(this.#at))
    if (!match) return 1
    this.#at += match[0].length
    if (match[1] !== undefined) return Number(match[1])
    return match[0].startsWith("+") ? 1 : 0
  }
}
