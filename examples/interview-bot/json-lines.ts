// A file of JSON lines: enough for a demo's answers and tokens, and nothing acknowledged is lost.
import { mkdirSync, readFileSync } from "node:fs"
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
        await file.appendFile(`${JSON.stringify(row)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      rows.push(row)
    })
    this.#last = writing.catch(() => undefined)
    return writing
  }

  #read(): Row[] {
    let text: string
    try {
      text = readFileSync(this.#file(), "utf8")
    } catch {
      return []
    }
    // A line without its end was never acknowledged: the process died while it was written.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1)
    return whole.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Row]))
  }

  #file(): string {
    const folder = process.env.TRESTLE_DATA ?? ".trestle"
    mkdirSync(folder, { recursive: true })
    return join(folder, this.#name)
  }
}
