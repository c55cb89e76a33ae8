import { hash } from "node:crypto"
import { existsSync, type FSWatcher, readFileSync, watch } from "node:fs"
import { basename, dirname, join } from "node:path"

/** An editor writes a file in several steps, and "save all" several files. */
const SETTLE_MS = 60

/**
 * Hears of changes to files, by their content: a file that was saved as it was has not changed. Watches folders, because editors replace
 * files instead of writing into them; so a file that is not there yet, in a folder that is not there yet, can be followed too.
 */
export class Watch {
  readonly #followed = new Map<string, string | null>()
  readonly #folders = new Map<string, FSWatcher>()
  /** Followed files are to be in them. */
  readonly #missing = new Set<string>()
  readonly #changed: (files: readonly string[]) => void
  readonly #touched = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  /** Any file beside the followed ones counts: what is missing may be one of them. */
  isCurious = false

  constructor(changed: (files: readonly string[]) => void) {
    this.#changed = changed
  }

  /** Absolute paths. */
  follow(files: Iterable<string>): void {
    for (const file of files) {
      if (!this.#followed.has(file)) this.#followed.set(file, contentOf(file))
      this.#watch(dirname(file))
    }
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
    for (const watcher of this.#folders.values()) watcher.close()
    this.#folders.clear()
  }

  #watch(folder: string): void {
    if (this.#folders.has(folder)) return
    try {
      const watcher = watch(folder, (_event, name) => {
        // Itself renamed or removed, as by `git switch`: the watch would stay with what it was.
        if (name === basename(folder)) this.#watchAnew(folder)
        if (name !== null) this.#touch(join(folder, name))
        this.#lookForFolders()
      })
      watcher.on("error", () => this.#watchAnew(folder))
      this.#folders.set(folder, watcher)
    } catch {
      // Not there yet: the nearest one above it will tell.
      this.#missing.add(folder)
      if (dirname(folder) !== folder) this.#watch(dirname(folder))
    }
  }

  #watchAnew(folder: string): void {
    this.#folders.get(folder)?.close()
    this.#folders.delete(folder)
    this.#watch(folder)
    this.#touchIn(folder)
  }

  #lookForFolders(): void {
    const found = [...this.#missing].filter((folder) => existsSync(folder))
    if (found.length === 0) return
    for (const folder of found) {
      this.#missing.delete(folder)
      this.#watch(folder)
      this.#touchIn(folder)
    }
    // What came into them before they were watched.
    this.#lookForFolders()
  }

  #touchIn(folder: string): void {
    for (const file of this.#followed.keys()) if (dirname(file) === folder) this.#touch(file)
  }

  #touch(file: string): void {
    if (!this.#followed.has(file) && !(this.isCurious && /\.(?:[cm]?[jt]sx?|json)$/.test(file))) return
    this.#touched.add(file)
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#settle(), SETTLE_MS)
  }

  #settle(): void {
    this.#timer = null
    const changed = [...this.#touched].filter((file) => {
      const content = contentOf(file)
      if (this.#followed.get(file) === content) return false
      this.#followed.set(file, content)
      return true
    })
    this.#touched.clear()
    if (changed.length > 0) this.#changed(changed)
  }
}

function contentOf(file: string): string | null {
  try {
    return hash("sha256", readFileSync(file), "base64")
  } catch {
    return null
  }
}
