import type { Part } from "./part.ts"
import { type Pass, type Place, REFUSED } from "./pass.ts"
import { type Find, finderOf, finderOfKey, pathOf, putAt } from "./paths.ts"

/** One of our fields, on its way in and out; made once for a mapping. */
export interface Step {
  readonly key: string
  readonly isReversible: boolean
  /** False when it was refused. */
  read(source: any, out: Record<string, unknown>, pass: Pass): boolean
  write(ours: any, target: Record<string, unknown>, pass: Pass): boolean
  isAbsent(source: unknown): boolean
}

/** From a field of theirs, under one of its names. */
export class SingleStep implements Step, Place {
  readonly key: string
  readonly source: string
  readonly target: string
  readonly isReversible: boolean
  readonly #part: Part
  readonly #find: Find
  readonly #ourField: Find
  readonly #path: readonly string[]
  readonly #drifted: readonly { readonly name: string; readonly find: Find }[]

  constructor(key: string, names: readonly string[], drifted: readonly string[], part: Part) {
    this.key = this.target = key
    this.source = names[0]!
    this.isReversible = part.isReversible
    this.#part = part
    this.#path = pathOf(this.source).keys
    this.#find = finderOf(names)
    this.#ourField = finderOfKey(key)
    this.#drifted = drifted.map((name) => ({ name, find: finderOf([name]) }))
  }

  read(source: unknown, out: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    let raw = this.#find(source)
    if (raw === undefined && this.#drifted.length > 0) raw = this.#findDrifted(source, pass)
    if (raw === REFUSED) return false
    const value = this.#part.read(raw, pass)
    if (value === REFUSED) return false
    if (value !== undefined) out[this.key] = value
    return true
  }

  #findDrifted(source: unknown, pass: Pass): unknown {
    for (const { name, find } of this.#drifted) {
      const raw = find(source)
      if (raw !== undefined) return pass.repair(raw, `under the name ${name}`, `is missing, but there is ${name}`)
    }
    return undefined
  }

  write(ours: Record<string, unknown>, target: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    const written = this.#part.write(this.#ourField(ours), pass)
    if (written === REFUSED) return false
    if (written === undefined || putAt(target, this.#path, written)) return true
    pass.refuse("is written by another field too, with another value")
    return false
  }

  isAbsent(source: unknown): boolean {
    return this.#find(source) == null && this.#drifted.every(({ find }) => find(source) == null)
  }
}

/** From the whole source: several fields of it as one of ours. */
export class GroupStep implements Step, Place {
  readonly key: string
  readonly source = null
  readonly target: string
  readonly isReversible: boolean
  readonly #part: Part
  readonly #ourField: Find

  constructor(key: string, part: Part) {
    this.key = this.target = key
    this.#ourField = finderOfKey(key)
    this.isReversible = part.isReversible
    this.#part = part
  }

  read(source: unknown, out: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    const { group } = this.#part
    const value = this.#part.read(group?.mayBeAbsent && group.isAbsent(source) ? undefined : source, pass)
    if (value === REFUSED) return false
    if (value !== undefined) out[this.key] = value
    return true
  }

  write(ours: Record<string, unknown>, target: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    return this.#part.group!.writeInto(this.#ourField(ours), target, pass)
  }

  isAbsent(source: unknown): boolean {
    return this.#part.group!.isAbsent(source)
  }
}

/** From nothing. */
export class ConstantStep implements Step, Place {
  readonly key: string
  readonly source = "(constant)"
  readonly isReversible = true
  readonly target: string
  readonly #value: unknown

  constructor(key: string, value: unknown) {
    this.key = this.target = key
    this.#value = value
  }

  read(_source: unknown, out: Record<string, unknown>): boolean {
    out[this.key] = this.#value
    return true
  }

  write(ours: Record<string, unknown>, _target: Record<string, unknown>, pass: Pass): boolean {
    if (ours[this.key] === this.#value) return true
    pass.place = this
    pass.refuse("is not the value that it is always read as")
    return false
  }

  isAbsent(): boolean {
    return true
  }
}

/** From the whole source, by a function. */
export class ComputedStep implements Step, Place {
  readonly key: string
  readonly source = "(computed)"
  readonly isReversible = false
  readonly target: string
  readonly #compute: (source: any) => unknown

  constructor(key: string, compute: (source: any) => unknown) {
    this.key = this.target = key
    this.#compute = compute
  }

  read(source: unknown, out: Record<string, unknown>, pass: Pass): boolean {
    try {
      const value = this.#compute(source)
      if (value !== undefined) out[this.key] = value
      return true
    } catch (thrown) {
      // Not its message: that may hold the value.
      pass.place = this
      pass.refuse(`could not be computed (${thrown instanceof Error ? thrown.name : typeof thrown})`)
      return false
    }
  }

  write(_ours: unknown, _target: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    pass.refuse("is computed, which goes one way only")
    return false
  }

  isAbsent(): boolean {
    return true
  }
}
