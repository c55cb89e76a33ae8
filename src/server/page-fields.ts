import type { Fields } from "./entry.ts"

/** Of every page, and of the client for pages: asked for again each time, of the type that is said, and told to nobody else. */
export const PAGE_FIELDS: Fields = {
  "cache-control": "no-cache",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
}
