import { hash } from "node:crypto"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { isRevoked, type Owner, type Revocation, type Shelf, type ShelvedAnswer } from "../contract/keeping.ts"
import type { EventLog } from "../contract/ports.ts"
import { Damaged, damagedAt, isBusy, LastGoodDatabase, type Row, setAside } from "./last-good-database.ts"
import { PLAIN, type Seal } from "./seal.ts"

export interface LastGoodFileOptions {
  /** Holds `last-good.db`. */
  readonly folder: string
  readonly events: EventLog
  /** Default: plain text. */
  readonly seal?: Seal
}

/** One answer that waits to be written; `null`: to be removed. */
interface Waiting {
  readonly shelf: string
  readonly owner: Owner
  readonly answer: ShelvedAnswer | null
}

/** So that writing holds the event loop for some milliseconds at most. */
const BATCH_ROWS_MAX = 500
const BATCH_BYTES_MAX = 1_048_576
/** The newest; a file that cannot be written must not fill the memory. */
const WAITING_MAX = 10_000

/** Last good answers in a file of their own. What cannot be read is not there, what cannot be written is lost: a warning says so, once. */
export class LastGoodFile {
  readonly #file: string
  readonly #events: EventLog
  readonly #seal: Seal
  #database: LastGoodDatabase | null = null
  readonly #entriesMax = new Map<string, number>()
  readonly #waiting = new Map<string, Waiting>()
  /** Whose rows could not be removed yet. */
  #forgetting: Revocation[] = []
  #hasWarned = false

  constructor({ folder, events, seal = PLAIN }: LastGoodFileOptions) {
    this.#file = join(folder, "last-good.db")
    this.#events = events
    this.#seal = seal
  }

  /** A damaged file is set aside; one that cannot be opened at all is done without. */
  open(): void {
    try {
      this.#database = this.#openOrRenew()
    } catch (error) {
      this.#warn("cannot be opened: last good answers will not outlive this process", error)
    }
  }

  shelf(name: string, entriesMax: number): Shelf {
    this.#entriesMax.set(name, entriesMax)
    return {
      find: (owner, key) => this.#find(name, owner, key),
      put: (owner, key, answer) => this.#put(name, owner, key, answer),
    }
  }

  /** Writes one batch of what waits. */
  flush(): void {
    if (this.#forgetting.length > 0) this.#forgetNow()
    if (this.#waiting.size > 0) this.#use((database) => this.#writeBatch(database))
  }

  /** What was kept for them is gone from the file when this returns; where another process holds it, as soon as it lets go, and unread until then. */
  forget(revoked: Revocation): void {
    for (const [id, { owner }] of this.#waiting) if (isRevoked(owner, revoked)) this.#waiting.delete(id)
    this.#removeSetAside()
    this.#forgetting.push(revoked)
    this.#forgetNow()
  }

  /** Writes everything that waits. */
  close(): void {
    for (let left = Infinity; this.#database !== null && this.#waiting.size > 0 && this.#waiting.size < left; ) {
      left = this.#waiting.size
      this.flush()
    }
    this.#database?.close()
    this.#database = null
  }

  #openOrRenew(): LastGoodDatabase {
    try {
      return LastGoodDatabase.open(this.#file)
    } catch (error) {
      if (!(error instanceof Damaged)) throw error
      setAside(this.#file)
      this.#events.warn(`${this.#file} is damaged (${error.message}); it was set aside as ${damagedAt(this.#file)} and begun anew`)
      return LastGoodDatabase.open(this.#file)
    }
  }

  #find(shelf: string, owner: Owner, key: string): ShelvedAnswer | null {
    const waiting = this.#waiting.get(idOf(shelf, owner, key))
    if (waiting) return waiting.answer
    if (this.#forgetting.some((revoked) => isRevoked(owner, revoked))) return null
    const row = hash("sha256", idOf(shelf, owner, key), "base64url")
    const found = this.#use((database) => database.find(row))
    if (!found) return null
    try {
      const text = this.#seal.open(found.body, row)
      return text === null ? null : { ...readBody(text), at: found.at }
    } catch {
      return null
    }
  }

  #put(shelf: string, owner: Owner, key: string, answer: ShelvedAnswer | null): void {
    if (this.#database === null) return
    const id = idOf(shelf, owner, key)
    this.#waiting.delete(id)
    this.#waiting.set(id, { shelf, owner, answer })
    if (this.#waiting.size > WAITING_MAX) this.#waiting.delete(this.#waiting.keys().next().value!)
  }

  #writeBatch(database: LastGoodDatabase): void {
    const rows: Row[] = []
    const removed: string[] = []
    const taken: string[] = []
    let bytes = 0
    for (const [id, { shelf, owner, answer }] of this.#waiting) {
      if (taken.length >= BATCH_ROWS_MAX || bytes >= BATCH_BYTES_MAX) break
      taken.push(id)
      const key = hash("sha256", id, "base64url")
      if (answer === null) removed.push(key)
      else {
        const body = this.#seal.seal(textOf(answer), key)
        bytes += body.byteLength
        rows.push({ key, shelf, ...namesOf(owner), at: answer.at, body })
      }
    }
    try {
      database.write(rows, removed, this.#entriesMax)
    } catch (error) {
      // Another process writes: the same batch again, a little later.
      if (isBusy(error)) return
      for (const id of taken) this.#waiting.delete(id)
      throw error
    }
    for (const id of taken) this.#waiting.delete(id)
  }

  /** It may hold theirs too, and nobody can tell. */
  #removeSetAside(): void {
    try {
      rmSync(damagedAt(this.#file), { force: true })
    } catch (error) {
      this.#warn("was set aside before, and that file cannot be removed", error)
    }
  }

  #forgetNow(): void {
    const isGone = (revoked: Revocation): boolean =>
      this.#use((database) => {
        const { who, credential } = namesOf(revoked)
        database.forget(who, revoked.credential === undefined ? null : credential)
        return true
      }) === true
    this.#forgetting = this.#database === null ? [] : this.#forgetting.filter((revoked) => !isGone(revoked))
  }

  /** Nothing thrown by the file reaches a call. */
  #use<T>(use: (database: LastGoodDatabase) => T): T | undefined {
    const database = this.#database
    if (database === null) return undefined
    try {
      return use(database)
    } catch (error) {
      if (isBusy(error)) return undefined
      if (error instanceof Damaged) this.#renew(error)
      else this.#warn("cannot be used", error)
      return undefined
    }
  }

  /** In the middle of the day: what is in memory goes on, the file begins anew. */
  #renew(damage: Damaged): void {
    this.#database?.close()
    this.#database = null
    this.#forgetting = []
    this.#warn("is damaged: it is set aside, and begun anew", damage)
    try {
      setAside(this.#file)
    } catch (error) {
      return this.#warn("cannot be set aside", error)
    }
    this.open()
  }

  #warn(what: string, error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#events.warn(`${this.#file} ${what}`, { error })
  }
}

export function openLastGoodFile(options: LastGoodFileOptions): LastGoodFile {
  const file = new LastGoodFile(options)
  file.open()
  return file
}

/** The owner stands in it although the key is made for one caller already: a mistake there must not give a row to another. */
function idOf(shelf: string, owner: Owner, key: string): string {
  return `${shelf}\n${owner === null ? "" : JSON.stringify([owner.kind, owner.id, owner.credential])}\n${key}`
}

/** `undefined`, an answer of nothing, has no JSON. */
function textOf({ value, etag }: ShelvedAnswer): string {
  return JSON.stringify({ value, etag })
}

function readBody(text: string): { value: unknown; etag: string | null } {
  const { value, etag } = JSON.parse(text) as { value?: unknown; etag: string | null }
  return { value, etag }
}

/** Hashed, so that the file names nobody. */
function namesOf(owner: Owner): { who: string; credential: string } {
  if (owner === null) return { who: "", credential: "" }
  const who = hash("sha256", `${owner.kind}\n${owner.id}`, "base64url")
  return { who, credential: owner.credential === undefined ? "" : hash("sha256", `${who}\n${owner.credential}`, "base64url") }
}
