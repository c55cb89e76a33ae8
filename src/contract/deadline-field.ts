/**
 * A header field in which a caller says how long it will wait: a whole number, greater than 0. HTTP has none of its own, so each house has
 * its name and its unit: `Request-Timeout` in seconds (draft-thomson-hybi-http-timeout), `X-Envoy-Expected-Rq-Timeout-Ms` in milliseconds
 * (Envoy, router filter).
 */
export interface DeadlineField {
  /** Name of the field. */
  header: string
  /** What its number counts. Without a default, for a wrong guess is wrong by a factor of thousand. */
  unit: "ms" | "s"
}

const MS_OF = { ms: 1, s: 1_000 } as const

/** Source: RFC 9110, section 5.6.2. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/
/** They rule the message and its connection, or each request has them already. */
const TAKEN =
  /^(accept|authorization|connection|content-length|content-type|cookie|expect|host|keep-alive|te|trailer|transfer-encoding|traceparent|upgrade|user-agent)$/i

/** What is wrong with such a declaration, in words that name the field of it. */
export function deadlineFieldMistakes(field: DeadlineField | undefined): string[] {
  if (field === undefined) return []
  const { header, unit } = (field ?? {}) as Partial<DeadlineField>
  const mistakes: string[] = []
  if (typeof header !== "string" || !NAME.test(header)) mistakes.push('header is not the name of a header field such as "Request-Timeout"')
  else if (TAKEN.test(header)) mistakes.push(`header ${header} has another meaning`)
  if (unit !== "ms" && unit !== "s") mistakes.push('unit is neither "ms" nor "s"')
  return mistakes
}

/** Rounded down, so that who is told gives up before us, not after; but what is begun has at least one unit. */
export function deadlineText({ unit }: DeadlineField, leftMs: number): string {
  return String(Math.max(1, Math.floor(leftMs / MS_OF[unit])))
}

/**
 * The milliseconds in a caller's field. `undefined` where it says nothing that can be read: it is a wish, and without it the declared
 * deadline holds. So is 0, which to some means "none left" and to others "as long as it takes".
 */
export function deadlineIn({ unit }: DeadlineField, value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,9}$/.test(value)) return undefined
  return Number(value) * MS_OF[unit] || undefined
}
