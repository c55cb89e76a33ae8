import type { Store } from "../contract/store.ts"

const OWNER = "select name from trestle_owner where id = 1"
const OWN = "insert into trestle_owner (id, name) values (1, ?) on conflict (id) do nothing"

/**
 * The name of the application whose tables these are. Whoever asks first becomes it: jobs, keys and messages go by the paths of operations,
 * and another application may have the same.
 */
export async function ownerOf(store: Store, name: string): Promise<string> {
  const known = await owner(store)
  if (known !== null) return known
  await store.unit([{ text: OWN, values: [name] }])
  return (await owner(store))!
}

async function owner(store: Store): Promise<string | null> {
  const [row] = await store.read({ text: OWNER, values: [] })
  return row === undefined ? null : (row.name as string)
}
