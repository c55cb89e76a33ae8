/** A folder of static pages, as a `file:` address: `new URL("./pages/", import.meta.url)`. Everything in it can be read by everybody. */
export type Pages = URL | PagesOptions

/** A folder of pages under a policy of your own. */
export interface PagesOptions {
  /** Its `file:` address. */
  readonly folder: URL
  /** The `Content-Security-Policy` of every page, instead of the strict one: only the page's own origin, nothing inline, no frames. */
  readonly policy?: string
}

/** Source: Content Security Policy Level 3, W3C. */
const STRICT_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

/** Every member, with what was left out. */
export function pagesOptions(pages: Pages): Required<PagesOptions> {
  const given = pages instanceof URL ? { folder: pages } : pages
  return { policy: STRICT_POLICY, ...given }
}
