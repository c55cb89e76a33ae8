import { hash } from "node:crypto"

const LENGTH_MAX = 200

/**
 * An order key as every store keeps it: as it is, so that people recognise it, or by its hash where it is too long for an index or holds what
 * no store takes. The function that gives it is the application's own, so it may be given anything; alike stays alike.
 */
export function storedOrderKey(key: string | null): string | null {
  if (key === null) return null
  const text = String(key)
  if (text.length <= LENGTH_MAX && text.isWellFormed() && !text.includes("\0")) return text
  return `sha256:${hash("sha256", text)}`
}
