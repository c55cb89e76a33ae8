import { openStoreOf, type StoreState, stateOfStore } from "../assembly/store-of.ts"
import { loadEnvironment } from "../config/environment.ts"
import { asTyped } from "./as-typed.ts"
import type { DbFlags } from "./db.ts"
import { storeFailure } from "./jobs-desk.ts"
import { loadApp } from "./load-app.ts"

/** How Trestle's own tables stand; `null` where nothing is kept, or only one service is asked for. */
export async function storeState(flags: DbFlags): Promise<StoreState | null> {
  if (flags.service !== undefined) return null
  const { app } = await loadApp(flags.app)
  try {
    return await stateOfStore(app, loadEnvironment({ folder: process.cwd() }))
  } catch (error) {
    throw storeFailure(error)
  }
}

/** Makes them, or brings them up to date, as a start would. */
export async function makeStore(flags: DbFlags): Promise<void> {
  const { app } = await loadApp(flags.app)
  try {
    const opened = await openStoreOf(app, loadEnvironment({ folder: process.cwd() }), true)
    await opened?.close()
  } catch (error) {
    throw storeFailure(error)
  }
}

/** A start would do it anyway, so what is pending is no finding. */
export function storeText({ place, version, wanted }: StoreState): string {
  const state =
    version === wanted
      ? "up to date"
      : version < wanted
        ? asTyped("brought up to date by the next start, or by trestle db migrate")
        : "newer"
  return `store ${place}: Trestle's own tables, version ${version} of ${wanted}, ${state}\n`
}
