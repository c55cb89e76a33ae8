import { withPatience } from "../base/patience.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { DocsPageOptions } from "./docs-page.ts"
import { type Fields, GET, type HttpEntry } from "./entry.ts"
import type { HttpParts, Served } from "./http.ts"
import { refuse } from "./refuse.ts"

const JSON_MEDIA_TYPE = "application/json; charset=utf-8"
const PROBE_FIELDS: Fields = { "content-type": JSON_MEDIA_TYPE, "cache-control": "no-store" }

/** The addresses that every application has: liveness, readiness, the OpenAPI document and the page that shows it. */
export function ownPages(parts: HttpParts): Served[] {
  const get = { methods: GET, isCall: false } as const
  return [
    { ...get, url: "/health/live", serve: (entry) => entry.send(200, PROBE_FIELDS, '{"status":"live"}') },
    { ...get, url: "/health/ready", serve: (entry) => sayReadiness(parts, entry) },
    { ...get, url: "/openapi.json", serve: documentOf(parts) },
    { ...get, url: "/docs", serve: (entry) => showDocs(parts, entry) },
  ]
}

function sayReadiness(parts: HttpParts, entry: HttpEntry): void {
  Promise.all([parts.readiness(), inside(parts, entry)]).then(
    ([{ isReady, services }, seen]) =>
      entry.send(isReady ? 200 : 503, PROBE_FIELDS, JSON.stringify({ status: isReady ? "ready" : "not ready", services, ...seen })),
    (cause) => refuse(parts, entry, new TrestleError("INTERNAL", undefined, { cause })),
  )
}

async function inside(parts: HttpParts, entry: HttpEntry): Promise<object> {
  return (await maySeeInside(parts, entry)) ? { circuits: parts.services(), work: await parts.keptWork() } : {}
}

/** An authenticator that takes longer is one that does not answer. */
const CREDENTIAL_MS_MAX = 1_000

/** Whoever shows no credential is not asked for one; and no trouble with one keeps a probe from its answer. */
async function maySeeInside(parts: HttpParts, { head }: HttpEntry): Promise<boolean> {
  if (head.headers.authorization === undefined) return false
  const mayHe = parts.maySeeInside(head).catch(() => false)
  return (await withPatience(mayHe, CREDENTIAL_MS_MAX, parts.engine.clock)) === true
}

const DOCUMENT_FIELDS: Fields = { "content-type": JSON_MEDIA_TYPE, "cache-control": "no-cache", "x-content-type-options": "nosniff" }

function documentOf(parts: HttpParts): Served["serve"] {
  // One is enough: nearly every application is found behind one prefix, and callers could make others.
  let kept: { readonly prefix: string; readonly text: string } | null = null
  return (entry) => {
    const { prefix } = entry
    if (kept?.prefix !== prefix) kept = { prefix, text: JSON.stringify(parts.document(prefix), null, 2) }
    entry.send(200, DOCUMENT_FIELDS, kept.text)
  }
}

function showDocs(parts: HttpParts, entry: HttpEntry): void {
  // Loaded when somebody looks.
  import("./docs-page.ts").then(
    ({ docsPage }) => sendDocs(parts, entry, docsPage),
    (cause) => refuse(parts, entry, new TrestleError("INTERNAL", undefined, { cause })),
  )
}

function sendDocs(parts: HttpParts, entry: HttpEntry, docsPage: (options: DocsPageOptions) => string): void {
  const nonce = parts.random.hex(16)
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  const fields = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  }
  // Relative, so that it is right behind any prefix, known to us or not.
  entry.send(200, fields, docsPage({ name: parts.name, openapiUrl: "openapi.json", nonce }))
}
