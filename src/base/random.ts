import { randomFillSync } from "node:crypto"

/** Where all chance comes from: jitter and identifiers. Tests hand in a seeded one, so that every run repeats. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number
  /** That many random bytes as lower-case hexadecimal digits. */
  hex(bytes: number): string
}

const POOL_BYTES = 4096
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/** Cryptographically strong; drawn from a pool, because one system call per identifier would cost more than a call does. */
export const systemRandom: Random = {
  next: () => Math.random(),
  hex(bytes) {
    if (used + bytes > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const digits = pool.toString("hex", used, used + bytes)
    pool.fill(0, used, used + bytes)
    used += bytes
    return digits
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
