const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 }

/** Bytes of a size such as `"256kb"` or `"4mb"` (powers of 1024), or `null` when it is none. */
export function parseBytes(size: unknown): number | null {
  if (typeof size === "number") return Number.isSafeInteger(size) && size >= 0 ? size : null
  if (typeof size !== "string") return null
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)$/i.exec(size)
  const bytes = match ? Math.floor(Number(match[1]) * UNIT_BYTES[match[2]!.toLowerCase()]!) : null
  return Number.isSafeInteger(bytes) ? bytes : null
}
