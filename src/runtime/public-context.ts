import type { Stoppable } from "../contract/call.ts"
import type { Drift } from "../contract/mapping.ts"
import type { Principal } from "../contract/principal.ts"
import type { TrestleError } from "../errors/trestle-error.ts"

/** What the public face needs of the call behind it. */
interface Behind {
  readonly principal: Principal | null
  fail(code: string, detail?: string): never
  nest(operation: unknown, input: unknown): Promise<unknown>
  attach(target: Stoppable): void
  readonly drift: Drift
  noteRepair(what: string): void
}

/**
 * The public face of a call, `Ctx`. Its methods are bound, so that code may take them apart: `({ fail }) => ...`. The abort signal is
 * made only when it is asked for, because making one costs more than most calls.
 */
export class PublicContext implements Stoppable {
  readonly #call: Behind
  #controller: AbortController | null = null

  constructor(call: Behind) {
    this.#call = call
  }

  get user(): Principal | null {
    return this.#call.principal
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      this.#call.attach(this)
    }
    return this.#controller.signal
  }

  get drift(): Drift {
    return this.#call.drift
  }

  readonly noteRepair = (what: string): void => this.#call.noteRepair(what)

  readonly fail = (code: string, detail?: string): never => this.#call.fail(code, detail)

  readonly run = (operation: unknown, input: unknown): Promise<unknown> => this.#call.nest(operation, input)

  stop(why: TrestleError): void {
    this.#controller?.abort(why)
  }
}
