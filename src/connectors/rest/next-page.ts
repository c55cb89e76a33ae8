import type { WireReply } from "../../contract/ports.ts"

/** What is known of a page when the next one is looked for. */
export interface SeenPage {
  /** As `response` has passed it. */
  readonly reply: any
  readonly headers: WireReply["headers"]
  /** From 0. */
  readonly index: number
  /** Of this page, and of all so far. */
  readonly count: number
  readonly total: number
}

/** Where the next page is: fields for the query, or an address of the same service; `null` after the last. */
export type Next = { readonly query: Readonly<Record<string, string | number>> } | { readonly target: string } | null

/** How a service's list goes on. Made by `nextLink`, `cursor`, `pageNumber` and `offset`. */
export interface Paging {
  /** Of the first page's query. */
  readonly first: Readonly<Record<string, string | number>>
  readonly next: (page: SeenPage) => Next
}

/** The `Link` field's `rel="next"`, as long as it leads to the same service. Source: RFC 8288. */
export function nextLink(): Paging {
  return { first: {}, next: ({ headers }) => linkIn([headers.link].flat().join(", ")) }
}

/** A cursor in the answer, sent back as that field of the query: `cursor("after", (r) => r.next_cursor)`. The last page has none. */
export function cursor(field: string, read: (reply: any) => string | number | null | undefined): Paging {
  return {
    first: {},
    next: ({ reply }) => {
      const found = read(reply)
      return found === null || found === undefined || found === "" ? null : { query: { [field]: found } }
    },
  }
}

/**
 * Numbered pages. The last is the first one without items, or with fewer than `size`.
 *
 * @param field Of the query, for the number; `from` is the first page's, default 1.
 */
export function pageNumber(field: string, { from = 1, size }: { from?: number; size?: number } = {}): Paging {
  return {
    first: { [field]: from },
    next: ({ index, count }) => (isLast(count, size) ? null : { query: { [field]: from + index + 1 } }),
  }
}

/** As `pageNumber`, for services that count items: the field says how many to leave out. */
export function offset(field: string, { size }: { size?: number } = {}): Paging {
  return { first: { [field]: 0 }, next: ({ count, total }) => (isLast(count, size) ? null : { query: { [field]: total } }) }
}

function isLast(count: number, size: number | undefined): boolean {
  return count === 0 || (size !== undefined && count < size)
}

function linkIn(field: string): Next {
  for (const [, target, parameters] of field.matchAll(/<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))/i.exec(parameters!)
    if ((relation?.[1] ?? relation?.[2] ?? "").toLowerCase().split(/\s+/).includes("next")) return { target: target! }
  }
  return null
}
