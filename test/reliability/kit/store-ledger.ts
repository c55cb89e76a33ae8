import { systemClock } from "../../../src/base/clock.ts"
import type { SqliteSession } from "../../../src/connectors/sqlite/connection.ts"
import { openSqlite } from "../../../src/connectors/sqlite/open.ts"
import type { Store, StoreStatement, StoreTables } from "../../../src/contract/store.ts"
import { standInReferences } from "../../../src/testing/stand-ins.ts"

const TABLES: StoreTables = {
  version: 1,
  statements: () => ["create table trestle_things (key text primary key)", "create table trestle_marks (key text primary key, text text)"],
}

/** As an application opens it. */
export async function openStoreIn(file: string): Promise<{ store: Store; session: SqliteSession }> {
  const session = await openSqlite(
    { name: "notes", file, durability: "full", busyTimeout: "10s", rowsMax: 1_000_000, migrations: undefined, migratesOnStart: false },
    { references: standInReferences(), clock: systemClock, concurrency: 1, openTransport: null, isEphemeral: false },
  )
  return { session, store: await session.openStore([TABLES]) }
}

const TEXT = "What is a closure? ".repeat(10)

/** Two rows that are kept together or not at all. */
export const unitOf = (key: string): StoreStatement[] => [
  { text: "insert into trestle_things (key) values (?)", values: [key] },
  { text: "insert into trestle_marks (key, text) values (?, ?)", values: [key, TEXT] },
]

/** What writers have heard of their units. */
export class Ledger {
  readonly kept = new Set<string>()
  readonly refused = new Set<string>()
  readonly unknown = new Set<string>()
  /** Why, as it was said. */
  readonly notes = new Set<string>()

  /** Takes one line of a writer. */
  note(line: string): void {
    const [mark, key, ...why] = line.split(" ")
    if (why.length > 0) this.notes.add(why.join(" "))
    if (mark === "+") this.kept.add(key!)
    else if (mark === "-") this.refused.add(key!)
    else if (mark === "?") this.unknown.add(key!)
  }
}

/** What a start finds, held against what was heard. Each list should be empty. */
export interface StoreFindings {
  /** Acknowledged, and not there. */
  readonly lost: readonly string[]
  /** Refused, and there all the same. */
  readonly undead: readonly string[]
  /** Kept by half. */
  readonly halves: readonly string[]
  /** All that is there. */
  readonly keys: readonly string[]
}

/** Opens the file as a start does, looks, and keeps one more unit. */
export async function lookInto(file: string, ledger: Pick<Ledger, "kept" | "refused">): Promise<StoreFindings> {
  const { store, session } = await openStoreIn(file)
  try {
    const keysOf = async (table: string): Promise<string[]> =>
      (await store.read({ text: `select key from ${table} limit 1000000`, values: [] })).map(({ key }) => key as string)
    const keys = await keysOf("trestle_things")
    const there = new Set(keys)
    const marks = new Set(await keysOf("trestle_marks"))
    await store.unit(unitOf(`looked-${keys.length}-${Math.random()}`))
    return {
      lost: [...ledger.kept].filter((key) => !there.has(key)),
      undead: [...ledger.refused].filter((key) => there.has(key)),
      halves: [...[...there].filter((key) => !marks.has(key)), ...[...marks].filter((key) => !there.has(key))],
      keys,
    }
  } finally {
    await session.close()
  }
}
