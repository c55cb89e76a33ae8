// A file of JSON lines: enough for a demo's answers and tokens, and nothing acknowledged is lost.
import { mkdirSync, readFileSync, truncateSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"

export class JsonLines<Row> {
  readonly #name: string
  #rows: Row[] | null = null
  #last: Promise<unknown> = Promise.resolve()

  constructor(name: string) {
    this.#name = name
  }

  rows(): readonly Row[] {
    this.#rows ??= this.#read()
    return this.#rows
  }

  /** Resolves when the row is on the disk. Rows are written one after the other. */
  append(row: Row): Promise<void> {
    const rows = this.rows() as Row[]
    const writing = this.#last.then(async () => {
      const file = await open(this.#file(), "a", 0o600)
      try {
        const { size } = await file.stat()
        try {
          await file.appendFile(`${JSON.stringify(row)}\n`)
          await file.sync()
        } catch (error) {
          // Half a line would spoil the next one. What was there before it was acknowledged, and stays.
          await file.truncate(size).catch(() => undefined)
          throw error
        }
      } finally {
        await file.close()
      }
      rows.push(row)
    })
    this.#last = writing.catch(() => undefined)
    return writing
  }

  #read(): Row[] {
    const file = this.#file()
    let bytes: Buffer
    try {
      bytes = readFileSync(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
      throw error
    }
    // A line without its end was never acknowledged: the process died while it was written. The next one must not be glued to it.
    const end = bytes.lastIndexOf("\n") + 1
    if (end < bytes.length) truncateSync(file, end)
    const whole = bytes.toString("utf8", 0, end)
    return whole.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Row]))
  }

  #file(): string {
    const folder = process.env.TRESTLE_DATA ?? ".trestle"
    mkdirSync(folder, { recursive: true })
    return join(folder, this.#name)
  }
}
