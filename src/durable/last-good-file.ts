import { hash } from "node:crypto"
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { Clock } from "../base/clock.ts"
import { type AnswerToShelve, isRevoked, type Owner, type Revocation, type Shelf, type ShelvedAnswer } from "../contract/keeping.ts"
import type { EventLog } from "../contract/ports.ts"
import { Damaged, damagedAt, isBusy, LastGoodDatabase, type Row, removeAll, setAside } from "./last-good-database.ts"
import { PLAIN, type Seal } from "./seal.ts"
import { Waiting } from "./waiting.ts"

export interface LastGoodFileOptions {
  /** Holds `last-good.db`. */
  readonly folder: string
  readonly events: EventLog
  /** What is too old is removed by it. */
  readonly clock: Pick<Clock, "epoch">
  /** Default: plain text. */
  readonly seal?: Seal
}

/** So that writing holds the event loop for some milliseconds at most. */
const BATCH_ROWS_MAX = 500
const BATCH_BYTES_MAX = 1_048_576
/** How often what is too old is looked for. */
const EXPIRY_MS = 60_000

/** Last good answers in a file of their own. What cannot be read is not there, what cannot be written is lost: a warning says so, once. */
export class LastGoodFile {
  readonly #file: string
  readonly #events: EventLog
  readonly #clock: LastGoodFileOptions["clock"]
  readonly #seal: Seal
  #database: LastGoodDatabase | null = null
  readonly #entriesMax = new Map<string, number>()
  readonly #waiting = new Waiting()
  #expiryAt = Number.NEGATIVE_INFINITY
  /** Whose rows could not be removed yet. */
  #forgetting: Revocation[] = []
  /** It may hold what was to be forgotten, and could not be opened. */
  #mustGo = false
  #hasWarned = false

  constructor({ folder, events, clock, seal = PLAIN }: LastGoodFileOptions) {
    this.#file = join(folder, "last-good.db")
    this.#events = events
    this.#clock = clock
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

  /** Writes one batch of what waits; now and then removes what is too old. */
  flush(): void {
    if (this.#forgetting.length > 0) this.#forgetNow()
    this.#expire()
    if (this.#waiting.size > 0) this.#use((database) => this.#writeBatch(database))
  }

  /** What was kept for them is gone from the file when this returns; where another process holds it, as soon as it lets go, and unread until then. */
  forget(revoked: Revocation): void {
    this.#waiting.forget(revoked)
    this.#removeSetAside()
    this.#forgetting.push(revoked)
    this.#forgetNow()
  }

  /** Writes everything that waits. Where something could not be forgotten until now, all of it goes: the next process would not know. */
  close(): void {
    for (let left = Infinity; this.#database !== null && this.#waiting.size > 0 && this.#waiting.size < left; ) {
      left = this.#waiting.size
      this.flush()
    }
    if (this.#forgetting.length > 0) this.#forgetNow()
    this.#database?.close()
    this.#database = null
    if (!this.#mustGo && this.#forgetting.length === 0) return
    try {
      removeAll(this.#file)
    } catch (error) {
      this.#warn("holds answers that were to be forgotten; remove it", error)
    }
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

  #put(shelf: string, owner: Owner, key: string, answer: AnswerToShelve | null): void {
    if (this.#database === null) return
    this.#waiting.put(idOf(shelf, owner, key), { shelf, owner, answer })
  }

  #expire(): void {
    const now = this.#clock.epoch()
    if (Math.abs(now - this.#expiryAt) < EXPIRY_MS) return
    this.#expiryAt = now
    this.#use((database) => database.expire(now))
  }

  #writeBatch(database: LastGoodDatabase): void {
    const rows: Row[] = []
    const removed: string[] = []
    const taken: string[] = []
    let bytes = 0
    for (const [id, { shelf, owner, answer }] of this.#waiting.entries()) {
      if (taken.length >= BATCH_ROWS_MAX || bytes >= BATCH_BYTES_MAX) break
      taken.push(id)
      const key = hash("sha256", id, "base64url")
      if (answer === null) removed.push(key)
      else {
        const body = this.#seal.seal(textOf(answer), key)
        bytes += body.byteLength
        rows.push({ key, shelf, ...namesOf(owner), at: answer.at, until: answer.until, body })
      }
    }
    try {
      database.write(rows, removed, this.#entriesMax)
    } catch (error) {
      // Another process writes: the same batch again, a little later.
      if (isBusy(error)) return
      for (const id of taken) this.#waiting.drop(id)
      throw error
    }
    for (const id of taken) this.#waiting.drop(id)
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
    if (this.#database === null) this.#mustGo = true
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
