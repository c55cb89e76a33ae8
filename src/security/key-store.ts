import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { systemClock } from "../base/clock.ts"
import { type Random, systemRandom } from "../base/random.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { withFileLock } from "./file-lock.ts"
import { readKeyFile, stampOf, writeKeyFile } from "./key-file.ts"
import { type CreatedKey, type KeyRecord, type NewKey, newKey, revokeIn } from "./key-record.ts"

export type { CreatedKey, KeyRecord, NewKey } from "./key-record.ts"

/** Keeps API keys; never their secret parts. Every method throws or rejects `UNAVAILABLE` when the keys cannot be read. */
export interface KeyStore {
  /** Revoked and expired keys too: whether a key works is for the caller to decide. Fast: at most one look at the disk per second, for unknown ids 20. */
  find(id: string): KeyRecord | undefined
  /** @throws {TrestleError} `INVALID` with every issue; `CONFLICT` when a working key has the name. */
  create(wanted: NewKey): Promise<CreatedKey>
  /** All keys ever made, oldest first. */
  list(): readonly KeyRecord[]
  /** By id, or every key of a name; idempotent. `null` when there is no such key. */
  revoke(idOrName: string): Promise<KeyRecord | null>
}

export interface KeyStoreOptions {
  /** Holds `keys.json`. Made, for this user only, with the first key. */
  readonly folder: string
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number
  /** Default: cryptographically strong. */
  readonly random?: Random
  /** For waiting on the lock. Default: real time. */
  readonly pause?: (delayMs: number) => Promise<void>
}

/** How old the picture of the file may be. A revocation by another process is seen at most this much later. */
const LOOK_MS = 1_000
/** The same for an id that is not in the picture: a key just made should work, and guesses must not keep the disk busy. */
const LOOK_UNKNOWN_MS = 50

/**
 * Opens the keys in `<folder>/keys.json` (mode 0600). Writes nothing until a key is made.
 *
 * Several processes may use one folder: changes are made under a lock, replace the file in one step, and are seen by the others within
 * a second of their next `find`, new keys within 50 ms. While the file cannot be read or is broken, everything fails; it recovers when the file does.
 *
 * @throws {TrestleError} `UNAVAILABLE` when the file is there but not sound; the note names the file and the fix.
 */
export function openKeyStore(options: KeyStoreOptions): KeyStore {
  const store = new FileKeyStore(options)
  store.list()
  return store
}

class FileKeyStore implements KeyStore {
  readonly #file: string
  readonly #options: Required<KeyStoreOptions>
  #byId: ReadonlyMap<string, KeyRecord> = new Map()
  #stamp = ""
  #lookedAt = Number.NEGATIVE_INFINITY
  #problem: TrestleError | null = null
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(options: KeyStoreOptions) {
    this.#options = { now: systemClock.epoch, random: systemRandom, pause: systemClock.pause, ...options }
    this.#file = join(options.folder, "keys.json")
  }

  find(id: string): KeyRecord | undefined {
    const age = this.#options.now() - this.#lookedAt
    // A clock set back must not freeze the picture.
    if (!(age >= 0 && age < (this.#byId.has(id) ? LOOK_MS : LOOK_UNKNOWN_MS))) this.#look()
    if (this.#problem) throw again(this.#problem)
    return this.#byId.get(id)
  }

  list(): readonly KeyRecord[] {
    this.#look()
    if (this.#problem) throw again(this.#problem)
    return [...this.#byId.values()]
  }

  create(wanted: NewKey): Promise<CreatedKey> {
    return this.#change((records) => {
      const created = newKey(wanted, records, this.#options.now(), this.#options.random)
      return { records: [...records, created.record], answer: created }
    })
  }

  revoke(idOrName: string): Promise<KeyRecord | null> {
    return this.#change((records) => {
      const { records: changed, revoked } = revokeIn(records, idOrName, this.#options.now())
      return { records: changed, answer: revoked }
    })
  }

  /** Looks at the disk; keeps what is wrong instead of throwing, so that it holds until the next look. */
  #look(): void {
    this.#lookedAt = this.#options.now()
    try {
      if (!this.#problem && stampOf(this.#file) === this.#stamp) return
      const { stamp, records } = readKeyFile(this.#file)
      this.#byId = new Map(records.map((record) => [record.id, record]))
      this.#stamp = stamp
      this.#problem = null
    } catch (error) {
      this.#byId = new Map()
      this.#problem = error as TrestleError
    }
  }

  /** One after the other within this process, under the lock among processes; always from what the file says now. */
  #change<T>(edit: (records: readonly KeyRecord[]) => { records: readonly KeyRecord[]; answer: T }): Promise<T> {
    const turn = this.#lastChange.then(() => this.#changeNow(edit))
    this.#lastChange = turn.catch(() => undefined)
    return turn
  }

  async #changeNow<T>(edit: (records: readonly KeyRecord[]) => { records: readonly KeyRecord[]; answer: T }): Promise<T> {
    const { folder, random, pause } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
      throw new TrestleError("UNAVAILABLE", undefined, { note: `cannot make the folder ${folder} for keys.json (${cause.code})`, cause })
    })
    const answer = await withFileLock(`${this.#file}.lock`, { random, pause }, async (lock) => {
      const { records } = readKeyFile(this.#file)
      const edited = edit(records)
      if (edited.records !== records) await writeKeyFile(this.#file, edited.records, lock)
      return edited.answer
    })
    this.#look()
    return answer
  }
}

/** A fresh error each time: the end of a call writes its support id on it. */
function again(problem: TrestleError): TrestleError {
  return new TrestleError(problem.code, undefined, { ...(problem.note ? { note: problem.note } : {}), cause: problem })
}

/** Keys that live as long as the program: for tests. Defaults: the system's clock and chance. */
export function memoryKeyStore(options: { readonly now?: () => number; readonly random?: Random } = {}): KeyStore {
  const { now = systemClock.epoch, random = systemRandom } = options
  let records: readonly KeyRecord[] = []
  return {
    find: (id) => records.find((record) => record.id === id),
    list: () => records,
    async create(wanted) {
      const created = newKey(wanted, records, now(), random)
      records = [...records, created.record]
      return created
    },
    async revoke(idOrName) {
      const changed = revokeIn(records, idOrName, now())
      records = changed.records
      return changed.revoked
    },
  }
}
