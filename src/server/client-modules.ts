import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { type Fields, GET, type HttpEntry } from "./entry.ts"
import type { Served } from "./http.ts"
import { PAGE_FIELDS } from "./page-fields.ts"

/** Compiled in the published package, TypeScript in a checkout of the repository. */
const FOLDER = new URL("../client/", import.meta.url)
/** Neither tests nor declarations. */
const MODULE = /^([\w-]+)\.(?:js|ts)$/

/**
 * The typed client as modules for browsers: `/rpc/client.js`, and those that it needs, which import only one another. They stand beside
 * what they call, so that a prefix or a proxy that lets calls through lets them through.
 */
export function clientAddresses(): Served[] {
  const names = readdirSync(FOLDER).filter((file) => MODULE.test(file))
  const modules = names.map((file) => ({
    name: MODULE.exec(file)![1]!,
    text: forBrowsers(file, readFileSync(new URL(file, FOLDER), "utf8")),
  }))
  // Without it a browser would find them one after the other.
  const link = modules.map(({ name }) => `<client/${name}.js>; rel=modulepreload`).join(", ")
  return [
    address("/rpc/client.js", 'export * from "./client/index.js"\n', { link }),
    ...modules.map(({ name, text }) => address(`/rpc/client/${name}.js`, text)),
  ]
}

function forBrowsers(file: string, text: string): string {
  // The maps stay where they are.
  if (file.endsWith(".js")) return text.replace(/^\/\/# sourceMappingURL=.*$/m, "")
  return stripTypeScriptTypes(text).replace(/(from "\.\/[^"]+)\.ts"/g, '$1.js"')
}

function address(url: string, text: string, more: Fields = {}): Served {
  const etag = `"${createHash("sha256").update(text).digest("base64url")}"`
  const fields = { ...PAGE_FIELDS, ...more, etag }
  const serve = (entry: HttpEntry): void => {
    if (entry.head.headers["if-none-match"]?.includes(etag)) entry.send(304, fields, "")
    else entry.send(200, { ...fields, "content-type": "text/javascript; charset=utf-8" }, text)
  }
  return { methods: GET, url, serve, isCall: false }
}
