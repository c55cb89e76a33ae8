import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type Policy, sql, sqlite } from "../../../src/index.ts"
import type { Calls, FaultRow, FaultyServer, Thing } from "./fault.ts"

const TABLES = `create table if not exists things (id text, name text) strict;
  create table if not exists unlike (id text unique) strict;
  insert or ignore into unlike values ('7')`
/** More than a page: a transaction of it does not fit into what is left of the disk. */
const LARGE = "x".repeat(200_000)

type Statement = (thing: Thing) => ReturnType<typeof sql>

interface Statements {
  readonly read?: Statement
  readonly write?: Statement
}

const INSERT: Statement = ({ id }) => sql`insert into things values (${id}, ${LARGE}) returning id, 'Ada' as name`
const SELECT: Statement = ({ id }) => sql`select ${id} as id, 'Ada' as name`

/** A file of its own, beside which `spoil` may do what others do to files; it gives what mends it again. */
function over(spoil: (file: string) => () => void, statements: Statements = {}): FaultRow["open"] {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-outcomes-"))
    const file = join(folder, "things.db")
    const watcher = new DatabaseSync(file)
    watcher.exec(`pragma journal_mode = wal; ${TABLES}`)
    let mend: (() => void) | null = null
    return {
      declare(policy: Policy): Calls {
        const db = sqlite({ file, name: "faulty", policy, busyTimeout: "10ms" })
        return { read: db.one(statements.read ?? SELECT), write: db.one(statements.write ?? INSERT) }
      },
      begin: () => {
        mend = spoil(file)
      },
      arrived: () => Number(watcher.prepare("select count(*) as n from things").get()!.n),
      mend: () => mend?.(),
      async [Symbol.asyncDispose]() {
        mend?.()
        watcher.close()
        rmSync(folder, { recursive: true, force: true })
      },
    } satisfies FaultyServer
  }
}

/** Somebody else writes, and does not come to an end. */
function locked(file: string): () => void {
  const other = new DatabaseSync(file)
  other.exec("begin immediate")
  return () => {
    if (other.isOpen) other.close()
  }
}

function removed(file: string): () => void {
  for (const ending of ["", "-wal", "-shm"]) rmSync(file + ending, { force: true })
  return () => {
    const anew = new DatabaseSync(file)
    anew.exec(`pragma journal_mode = wal; ${TABLES}`)
    anew.close()
  }
}

/** No file of this process can grow beyond what the log of the database needs to begin: writing to the disk fails, for real. */
function diskFull(): () => void {
  limitFiles("65536:")
  return () => limitFiles("unlimited:")
}

function limitFiles(bytes: string): void {
  execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}`])
}

const nothing = (): (() => void) => () => undefined

export const SQLITE_FAULTS: readonly FaultRow[] = [
  {
    rule: "refused: failure before the first request byte left",
    fault: "another process holds the file",
    outcome: "refused",
    code: "UNAVAILABLE",
    arrives: false,
    feedsBreaker: false,
    // Readers do not wait for writers.
    kinds: ["write"],
    open: over(locked),
  },
  {
    rule: "refused: failure before the first request byte left",
    fault: "the file is gone",
    outcome: "refused",
    code: "UNAVAILABLE",
    arrives: false,
    feedsBreaker: true,
    open: over(removed),
  },
  {
    rule: "unknown: a lost COMMIT",
    fault: "a disk that is full at COMMIT",
    outcome: "unknown",
    code: "UNAVAILABLE",
    arrives: false,
    feedsBreaker: true,
    kinds: ["write"],
    open: over(diskFull),
  },
  {
    rule: "refused, where the transaction is rolled back: output of a write that does not fit the contract",
    fault: "a row that does not fit the contract",
    outcome: "refused",
    code: "INTERNAL",
    isTransient: false,
    arrives: false,
    feedsBreaker: false,
    open: over(nothing, {
      read: () => sql`select 7 as id`,
      write: ({ id }) => sql`insert into things values (${id}, ${id}) returning 7 as id`,
    }),
  },
  {
    rule: "refused: failure before the first request byte left",
    fault: "a table that is not there",
    outcome: "refused",
    code: "INTERNAL",
    isTransient: false,
    arrives: false,
    feedsBreaker: false,
    open: over(nothing, { read: () => sql`select * from nowhere`, write: () => sql`insert into nowhere values (1) returning *` }),
  },
  {
    rule: "answered: every other reply",
    fault: "a rule of the table",
    outcome: "answered",
    code: "CONFLICT",
    arrives: false,
    feedsBreaker: false,
    kinds: ["write"],
    open: over(nothing, { write: ({ id }) => sql`insert into unlike values (${id}) returning id, 'Ada' as name` }),
  },
  {
    rule: "answered: every other reply",
    fault: "no row",
    outcome: "answered",
    code: "NOT_FOUND",
    arrives: false,
    feedsBreaker: false,
    kinds: ["read"],
    open: over(nothing, { read: () => sql`select 1 as id, 'Ada' as name where false` }),
  },
]
