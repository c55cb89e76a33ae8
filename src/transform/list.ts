import type { Converter, Way } from "./converter.ts"
import { asConverter, type Part } from "./part.ts"
import { kindOf, type Pass, REFUSED } from "./pass.ts"

/** A list whose every element the converter, or the mapping, takes: `from("rows", list(person))`. One wrong element refuses the list. */
export function list<T, W extends Way>(item: Converter<T, W>): Converter<T[], W> {
  return asConverter(new ListPart(item["~part"]))
}

export class ListPart implements Part {
  readonly noun = "list"
  readonly takesEmpty = false
  readonly isReversible: boolean
  readonly mistakes: readonly string[]
  readonly #item: Part

  constructor(item: Part) {
    this.#item = item
    this.mistakes = item.mistakes
    this.isReversible = item.isReversible
  }

  read(value: unknown, pass: Pass): unknown {
    return this.#each(value, pass, (item) => this.#item.read(item, pass))
  }

  write(value: unknown, pass: Pass): unknown {
    return this.#each(value, pass, (item) => this.#item.write(item, pass))
  }

  #each(value: unknown, pass: Pass, map: (item: unknown) => unknown): unknown {
    if (!Array.isArray(value)) return pass.refuse(`is ${kindOf(value)} (expected: list)`)
    const mapped: unknown[] = []
    let isWhole = true
    pass.enterItems()
    for (let i = 0; i < value.length; i++) {
      pass.at(i)
      const item = map(value[i])
      if (item === REFUSED) isWhole = false
      else mapped.push(item)
    }
    pass.leaveItems()
    return isWhole ? mapped : REFUSED
  }
}
