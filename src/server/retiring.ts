import type { Operation } from "../contract/operation.ts"

const DAY_MS = 86_400_000

/** Writes the header fields of an operation that is on its way out onto one answer, whatever the answer will be. */
export type Announce = (response: { setHeader(name: string, value: string): unknown }) => void

/**
 * `Deprecation` (RFC 9745) says since when, `Sunset` (RFC 8594) from when on it may be gone. Where the declaration does not say since
 * when, it is the day on which the application started: by then at the latest it was decided, and the answers of one day are alike.
 *
 * @param epoch milliseconds since 1970
 */
export function announcementOf({ retiring }: Operation, epoch: number): Announce | null {
  if (retiring === null) return null
  const since = retiring.since ?? epoch - (epoch % DAY_MS)
  const deprecation = `@${Math.floor(since / 1_000)}`
  const sunset = new Date(retiring.sunset).toUTCString()
  // Straight on the response: an answer that is written past the framework carries them too.
  return (response) => {
    response.setHeader("deprecation", deprecation)
    response.setHeader("sunset", sunset)
  }
}
