import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/**
 * From here on the data folder is an empty one of its own, for the application's code too, and goes with the process at the latest. To be
 * called before the application is loaded.
 */
export function throwAwayData(): { remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "trestle-faults-"))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once("exit", remove)
  process.env.TRESTLE_DATA = folder
  return { remove }
}
