import { DOM } from "./docs/script-dom.ts"
import { MAIN } from "./docs/script-main.ts"
import { SCHEMA } from "./docs/script-schema.ts"
import { TRY } from "./docs/script-try.ts"
import { STYLE } from "./docs/style.ts"

export interface DocsPageOptions {
  /** Of the application. */
  readonly name: string
  /** Where the page fetches the document it shows; same origin. */
  readonly openapiUrl: string
  /** For `style-src` and `script-src` of the page's content security policy. */
  readonly nonce?: string
}

const SCRIPT = compactScript(`(() => {"use strict"
let doc = {}
const openapiUrl = document.documentElement.dataset.openapi
${DOM}${SCHEMA}${TRY}${MAIN}
})()`)

/** Without indentation and block comments: what is written for us to read need not travel. No text in the sources spans lines. */
function compact(source: string): string {
  return source.replace(/\/\*.*?\*\//gs, "").replace(/^\s+/gm, "")
}

/** These operators stand in no text of the page. */
function compactScript(source: string): string {
  return compact(source).replace(/ (=>|=|===|!==|&&|\|\|) /g, "$1")
}

function compactStyle(source: string): string {
  return compact(source)
    .replace(/\s*([{};,])\s*/g, "$1")
    .replaceAll(": ", ":")
}

const LOOK = compactStyle(STYLE)

const MARK = `<svg width="22" height="22" viewBox="0 0 22 22" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true"><path d="M2 5h18M6 5 3.5 19M16 5l2.5 14M9 5l1 14M13 5l-1 14M5 12h12"/></svg>`

/**
 * The page that shows people what an OpenAPI document says, and lets them try it: one HTML text with everything in it. It asks the
 * network for nothing but `openapiUrl` and the calls its reader sends, and works under `default-src 'none'` with a nonce,
 * `connect-src 'self'` and `img-src data:`.
 *
 * Nothing of the document is in this text: the page reads it itself, and shows it as text nodes only.
 */
export function docsPage({ name, openapiUrl, nonce }: DocsPageOptions): string {
  const title = escapeHtml(name)
  const allowed = nonce === undefined ? "" : ` nonce="${escapeHtml(nonce)}"`
  return `<!doctype html>
<html lang="en" data-theme="auto" data-openapi="${escapeHtml(openapiUrl)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style${allowed}>${LOOK}</style>
</head>
<body>
<header>
<a class="brand" href="#">${MARK}<span>${title}</span></a><small class="soft" id="version"></small>
<div class="find"><input id="find" type="search" placeholder="Search" aria-label="Search operations" autocomplete="off" spellcheck="false"><kbd aria-hidden="true">/</kbd></div>
<a class="link mono" href="${escapeHtml(openapiUrl)}">openapi.json</a>
<button class="bare" id="theme" type="button" aria-label="Theme">◐</button>
</header>
<div class="frame"><nav id="nav" aria-label="Operations"></nav><main id="main"><noscript>This page needs JavaScript. The same description as JSON: <a class="link" href="${escapeHtml(openapiUrl)}">openapi.json</a></noscript></main></div>
<script${allowed}>${SCRIPT}</script>
</body>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]!)
}
