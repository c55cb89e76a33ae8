import type { Keeps, Revocation } from "../contract/keeping.ts"
import type { Operation } from "../contract/operation.ts"
import type { EventLog } from "../contract/ports.ts"
import type { Store } from "../contract/store.ts"
import { Claims } from "../durable/claims.ts"
import { underKeys } from "../durable/keyed-call.ts"
import type { SealedText } from "../durable/sealed-text.ts"
import type { Call } from "../runtime/call.ts"
import type { Around } from "../runtime/stages.ts"

const SWEEP_MS = 60_000

export interface KeysOptions {
  readonly store: Store
  readonly seal: SealedText
  readonly events: EventLog
}

/** The idempotency keys of one application: the stage that goes round calls, and the care of what is remembered. */
export class Keys implements Keeps {
  readonly #claims: Claims
  readonly #events: EventLog
  #timer: NodeJS.Timeout | null = null

  constructor({ store, seal, events }: KeysOptions) {
    this.#claims = new Claims(store, seal, events)
    this.#events = events
  }

  /** Bound, to be one of the engine's stages; `null` for operations whose callers have no keys. */
  readonly stage = (operation: Operation): Around | null => (operation.repeat === "key" ? underKeys<Call>(operation, this.#claims) : null)

  /** The answers go, a little later; that they were given stays known. */
  forget(revoked: Revocation): void {
    this.#claims.forget(revoked).catch((error: unknown) => {
      this.#events.error("answers kept under idempotency keys could not be removed with the credential of their caller", { error })
    })
  }

  /** From here on what is over is removed; in real time, as the store's clock goes. */
  begin(): void {
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_MS).unref()
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
  }

  async #sweep(): Promise<void> {
    try {
      while (await this.#claims.sweep());
    } catch (error) {
      this.#events.warn("idempotency keys that are over could not be removed; it is tried again", { error })
    }
  }
}
