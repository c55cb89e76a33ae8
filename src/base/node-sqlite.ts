type Sqlite = typeof import("node:sqlite")
let loaded: Sqlite | undefined

/**
 * Loads the driver when the first database is opened. Node 22 warns on stderr that it is experimental, which tells a user of Trestle
 * nothing to act on; that one sentence is kept back, and only while the module loads.
 */
export function loadSqlite(): Sqlite {
  if (loaded) return loaded
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith("SQLite is an experimental feature")) (emitWarning as Function).call(process, warning, ...rest)
  }) as typeof emitWarning
  try {
    loaded = process.getBuiltinModule("node:sqlite")
  } finally {
    process.emitWarning = emitWarning
  }
  return loaded
}
