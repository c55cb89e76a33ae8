import { type AnswerToShelve, isRevoked, type Owner, type Revocation } from "../contract/keeping.ts"

/** One answer that waits to be written; `null`: to be removed. */
export interface WaitingAnswer {
  readonly shelf: string
  readonly owner: Owner
  readonly answer: AnswerToShelve | null
}

const WAITING_MAX = 10_000
const WAITING_BYTES_MAX = 32 * 1_048_576

/** What waits to be written, the newest of it: a file that is written more slowly than answers come, or not at all, must not fill the memory. */
export class Waiting {
  readonly #answers = new Map<string, WaitingAnswer>()
  #bytes = 0

  get size(): number {
    return this.#answers.size
  }

  get(id: string): WaitingAnswer | undefined {
    return this.#answers.get(id)
  }

  /** The oldest first. */
  entries(): IterableIterator<[string, WaitingAnswer]> {
    return this.#answers.entries()
  }

  put(id: string, waiting: WaitingAnswer): void {
    this.drop(id)
    // It would cost all others their place.
    if (bytesOf(waiting) > WAITING_BYTES_MAX) return
    this.#answers.set(id, waiting)
    this.#bytes += bytesOf(waiting)
    for (const [oldest] of this.#answers) {
      if (this.#answers.size <= WAITING_MAX && this.#bytes <= WAITING_BYTES_MAX) break
      this.drop(oldest)
    }
  }

  drop(id: string): void {
    const waiting = this.#answers.get(id)
    if (waiting === undefined) return
    this.#answers.delete(id)
    this.#bytes -= bytesOf(waiting)
  }

  forget(revoked: Revocation): void {
    for (const [id, { owner }] of this.#answers) if (isRevoked(owner, revoked)) this.drop(id)
  }
}

function bytesOf({ answer }: WaitingAnswer): number {
  return answer?.bytes ?? 0
}
