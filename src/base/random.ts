import { randomBytes } from "node:crypto"

/** Where all chance comes from: jitter and identifiers. Tests hand in a seeded one, so that every run repeats. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number
  /** That many random bytes as lower-case hexadecimal digits. */
  hex(bytes: number): string
}

const POOL_BYTES = 4_096
let digits = ""
let used = 0

/**
 * Cryptographically strong; drawn from a pool of digits, because one system call and one encoding per identifier would cost more than
 * a whole call does.
 */
export const systemRandom: Random = {
  next: () => Math.random(),
  hex(bytes) {
    const length = bytes * 2
    if (used + length > digits.length) {
      digits = randomBytes(Math.max(POOL_BYTES, bytes)).toString("hex")
      used = 0
    }
    used += length
    return digits.slice(used - length, used)
  },
}

/**
 * A repeatable source for tests and simulations. Never for secrets.
 * Source: mulberry32 (T. Ettinger, public domain).
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const byte = (): string =>
    Math.floor(next() * 256)
      .toString(16)
      .padStart(2, "0")
  return { next, hex: (bytes) => Array.from({ length: bytes }, byte).join("") }
}
