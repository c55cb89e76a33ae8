import { isAbsolute, join } from "node:path"
import type { Environment } from "../config/environment.ts"

/** Folder of Trestle's own files: API keys, and what was seen of the operations. `TRESTLE_DATA`, else `.trestle`. */
export function dataFolder(environment: Environment): string {
  const folder = environment.get("TRESTLE_DATA")?.value ?? ".trestle"
  return isAbsolute(folder) ? folder : join(process.cwd(), folder)
}
