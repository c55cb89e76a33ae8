import { readFileSync } from "node:fs"

/** The package's own version; the file is as far away from the sources as from the compiled code. */
export function versionOfPackage(): string {
  return (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version
}
