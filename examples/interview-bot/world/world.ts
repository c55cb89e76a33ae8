import { setTimeout as sleep } from "node:timers/promises"
import { controlSite } from "./control.ts"
import { type Door, type Heard, openDoor, type Wait } from "./door.ts"
import { type Mode, noteOf, type Service, services } from "./modes.ts"
import { peopleSite } from "./people.ts"
import { openPeopleStore, type PeopleStore, type Person } from "./people-store.ts"
import { scoringSite } from "./scoring.ts"
import type { Site } from "./site.ts"

export type Place = Service | "control"

export type WorldOptions = {
  /** Where people.json lives; created if missing. */
  folder: string
  /** 0 or absent: any free port. */
  ports?: Partial<Record<Place, number>>
  peopleToken?: string
  scoringKey?: string
  now?: () => number
  random?: () => number
  /** Hears of every request, at which service, on which route, with its body: what a ledger outside the bot is kept by. */
  heard?: (service: Place, ...arrival: Parameters<Heard>) => void
  /** Stands in for every pause of the services, so that tests need not wait. */
  wait?: Wait
}

export type World = {
  urls: Record<Place, string>
  /** Resolves when the service plays `mode`. */
  fail: (service: Service, mode: Mode) => Promise<{ service: Service; mode: Mode; note: string }>
  arrivals: () => Record<Service, Record<string, number>>
  records: () => Person[]
  /** Destroys open connections, lets a write under way reach the disk. May be called twice. */
  close: () => Promise<void>
}

/** Starts the systems that the interview bot does not own, as real HTTP servers on loopback. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const wait: Wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }))
  const store = await openPeopleStore(options.folder)
  const doors = {} as Record<Place, Door>

  const fail: World["fail"] = async (service, mode) => {
    await doors[service].setMode(mode)
    return { service, mode, note: noteOf(service, mode) }
  }
  const arrivals = () => byService((service) => doors[service].arrivals())
  const seen = () => ({ records: store.all(), arrivals: arrivals(), modes: byService((service) => doors[service].mode()) })
  const close = async () => {
    await Promise.all(Object.values(doors).map((door) => door.close()))
    await store.settle()
  }

  const sites: Record<Place, Site> = { ...serviceSites(options, store, wait), control: controlSite({ fail, seen }) }
  try {
    for (const place of Object.keys(sites) as Place[]) {
      const heard: Heard = (name, text) => options.heard?.(place, name, text)
      doors[place] = await openDoor(sites[place], options.ports?.[place] ?? 0, wait, heard)
    }
  } catch (error) {
    await close()
    throw error
  }
  const urls = { ...byService((service) => doors[service].url), control: doors.control.url }
  return { urls, fail, arrivals, records: store.all, close }
}

function serviceSites(options: WorldOptions, store: PeopleStore, wait: Wait): Record<Service, Site> {
  const { peopleToken = "demo-people-token", scoringKey = "demo-scoring-key", now = Date.now, random = Math.random } = options
  return {
    people: peopleSite(store, peopleToken),
    replica: peopleSite(store, peopleToken),
    scoring: scoringSite({ key: scoringKey, now, random, wait }),
  }
}

function byService<T>(of: (service: Service) => T): Record<Service, T> {
  return Object.fromEntries(services.map((service) => [service, of(service)])) as Record<Service, T>
}
