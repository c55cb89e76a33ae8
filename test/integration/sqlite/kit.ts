// Applications over real SQLite files, and other processes that use the same file.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { type Clock, systemClock } from "../../../src/base/clock.ts"
import { type Sql, type SqliteOptions, sqlite } from "../../../src/index.ts"
import { begun, type World } from "../sql/kit.ts"

export { begun }

export function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-sqlite-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, "data", "notes.db")
}

export const NOTES = [
  { name: "0001-notes", sql: "create table notes (id integer primary key, text text not null unique, n integer check (n >= 0)) strict;" },
  { name: "0002-marks", sql: "create table marks (note integer not null references notes (id) deferrable initially deferred) strict;" },
]

/** Where another process decides how long we wait, by telling us that it is done: a test clock would not wait for it. */
export const REAL_TIME = { clock: systemClock, options: { busyTimeout: "60s", policy: { timeout: "60s" } } } as const

type Timing = { readonly clock: Clock; readonly options: Partial<SqliteOptions> }

/** A started application over a file of its own. */
export async function worldOf<T extends object>(
  make: (db: Sql) => T,
  options: Partial<SqliteOptions> = {},
  timing?: Timing,
): Promise<World<T>> {
  const policy = { retry: 0 }
  const db = sqlite({ file: newFile(), name: "notes", migrations: NOTES, migrate: "on start", policy, ...options, ...timing?.options })
  return begun(make(db), timing?.clock ? { clock: timing.clock } : {})
}

/** Another process with the file open, which does what it is told. */
export interface Other {
  /** Runs a script in it. */
  exec(script: string): Promise<void>
  kill(): Promise<void>
}

const OTHER = `
import { DatabaseSync } from "node:sqlite"
import { createInterface } from "node:readline"
const db = new DatabaseSync(process.argv[1])
for await (const line of createInterface({ input: process.stdin })) { db.exec(JSON.parse(line)); console.log("done") }
`

export function otherProcess(file: string): Other {
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "--eval", OTHER, file], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  const answers = child.stdout[Symbol.asyncIterator]()
  return {
    async exec(script) {
      child.stdin.write(`${JSON.stringify(script)}\n`)
      await answers.next()
    },
    async kill() {
      child.kill("SIGKILL")
      await ended(child)
    },
  }
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", (code) => resolve(code)))
}
