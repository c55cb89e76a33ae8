const WAIT_S_MAX = 86_400

/**
 * How long a client wants to wait for work that goes on anyway, in milliseconds: `wait=10`, or none at all with `respond-async`.
 * `undefined`: it says nothing of that. Source: RFC 7240, sections 4.1 and 4.3.
 */
export function waitOf(prefer: string | undefined): number | undefined {
  if (prefer === undefined) return undefined
  const preferences = prefer.split(/[,;]/).map((one) => one.trim().toLowerCase())
  for (const one of preferences) {
    const seconds = /^wait\s*=\s*"?(\d{1,9})"?$/.exec(one)?.[1]
    if (seconds !== undefined) return Math.min(Number(seconds), WAIT_S_MAX) * 1_000
  }
  return preferences.includes("respond-async") ? 0 : undefined
}
