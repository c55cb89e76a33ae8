import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"

export interface ClientModule {
  /** "client.js", the one to import, or one that it imports: "client/exchange.js". */
  readonly name: string
  readonly text: string
  /** Its `ETag`. */
  readonly tag: string
}

/** Compiled in the published package, TypeScript in a checkout of the repository; modules only, neither tests nor declarations. */
const FOLDER = new URL("../client/", import.meta.url)
const MODULE = /^[\w-]+\.(?:js|ts)$/

/** The typed client as modules for browsers. They import one another and nothing else. */
export async function readClientModules(): Promise<readonly ClientModule[]> {
  const files = (await readdir(FOLDER)).filter((file) => MODULE.test(file))
  const read = async (file: string): Promise<ClientModule> =>
    moduleOf(`client/${file.replace(/ts$/, "js")}`, await forBrowsers(file, await readFile(new URL(file, FOLDER), "utf8")))
  return [moduleOf("client.js", 'export * from "./client/index.js"\n'), ...(await Promise.all(files.map(read)))]
}

function moduleOf(name: string, text: string): ClientModule {
  return { name, text, tag: `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"` }
}

async function forBrowsers(file: string, text: string): Promise<string> {
  // The maps stay where they are.
  if (file.endsWith(".js")) return text.replace(/^\/\/# sourceMappingURL=.*$/m, "")
  const { stripTypeScriptTypes } = await import("node:module")
  return stripTypeScriptTypes(text).replace(/(from "\.\/[^"]+)\.ts"/g, '$1.js"')
}
