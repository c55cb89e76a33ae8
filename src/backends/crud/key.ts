import type { CallContext } from "../../contract/call.ts"

/**
 * A new key: a UUID of version 7, whose first half is the time, so that new rows come last in their index.
 * Source: RFC 9562, section 5.7.
 */
export function newKey({ clock, random }: CallContext): string {
  const time = Math.floor(clock.epoch()).toString(16).padStart(12, "0").slice(-12)
  const chance = random.hex(10)
  const variant = (8 + (Number.parseInt(chance[3]!, 16) & 3)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(7, 19)}`
}
