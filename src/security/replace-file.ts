import { open, readdir, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import type { HeldLock } from "./file-lock.ts"

/**
 * Replaces a file in one step, so that a reader or a crash sees the old content or the new one. Only under the lock of that file. Only its
 * owner may read it.
 *
 * @throws what the system says, or `confirm` when the lock has been lost; the old content stands then.
 */
export async function replaceFile(file: string, content: string, { token, confirm }: HeldLock): Promise<void> {
  await sweep(file)
  const temporary = `${file}.${token}.tmp`
  try {
    const handle = await open(temporary, "wx", 0o600)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // Asked last, when the new file is safe on disk.
    await confirm()
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(file))
}

/** What a writer that crashed left behind; under the lock nobody else has a temporary file. */
async function sweep(file: string): Promise<void> {
  const prefix = `${basename(file)}.`
  for (const name of await readdir(dirname(file))) {
    if (name.startsWith(prefix) && name.endsWith(".tmp")) await rm(join(dirname(file), name), { force: true })
  }
}

/** Makes the renaming itself survive a loss of power, where the system can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r")
    await handle.sync().finally(() => handle.close())
  } catch {
    // Windows cannot open folders; the new content is in place either way.
  }
}
