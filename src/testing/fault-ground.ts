import { loadEnvironment } from "../config/environment.ts"
import type { References } from "../contract/reference.ts"
import type { Service } from "../contract/service.ts"
import { standInReferences } from "./stand-ins.ts"

const PREFIX = "TRESTLE_FAULTS_"
const HOST = "TRESTLE_FAULTS_HOST"

/** Why nothing stands in the place of a service; `fix` is `null` where nothing but another connector would change that. */
export interface Absence {
  readonly why: string
  readonly fix: string | null
}

/** What stand-ins may use beside this process: whatever was named for them alone, and nothing of the application's. */
export interface Ground {
  readonly references: References
  /** The one host beyond this machine that may be connected to; `null`: none. */
  readonly host: string | null
}

/** By the variables that are named for this, of the process and of its `.env` files. */
export function groundHere(): Ground {
  const environment = loadEnvironment({ folder: process.cwd() })
  const names = environment.names().filter((name) => name.startsWith(PREFIX))
  const given = Object.fromEntries(names.map((name) => [name, environment.get(name)!.value]))
  return { references: standInReferences(given), host: given[HOST] || null }
}

/** The services in whose place nothing can stand. */
export async function absentees(services: readonly Service[], { references }: Ground): Promise<ReadonlyMap<Service, Absence>> {
  const found = new Map<Service, Absence>()
  for (const service of services) {
    const { kind, rehearsal } = service
    if (!rehearsal) found.set(service, { why: `its connector (${kind}) gives nothing to stand in its place`, fix: null })
    const lack = await rehearsal?.prepare?.(references)
    if (lack) found.set(service, lack)
  }
  return found
}
