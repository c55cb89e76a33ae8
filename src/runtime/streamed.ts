import type { Stoppable } from "../contract/call.ts"
import { Body } from "../contract/file-body.ts"
import type { Operation } from "../contract/operation.ts"
import type { Checked } from "../contract/shape.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import { EachItem, type Items } from "./each-item.ts"
import { outputMisfit } from "./misfit.ts"
import type { Stage } from "./stages.ts"

/** Its answer comes piece by piece, so the call lasts longer than its backend's answer. */
export function isStreamed({ output }: Operation): boolean {
  return output.file !== undefined || output.items !== undefined
}

/** Each item against the contract, when its turn comes. */
export function checkedItems(operation: Operation, items: unknown, servedBy: string): AsyncIterableIterator<unknown> {
  const shape = operation.output.items!
  let index = 0
  const taken = (checked: Checked): unknown => {
    if ("issues" in checked) throw outputMisfit(operation, `${servedBy}: item ${index}`, checked.issues)
    index++
    return checked.value
  }
  return new EachItem(items as Items, (item) => {
    const checking = shape.check(item)
    return checking instanceof Promise ? checking.then(taken) : taken(checking)
  })
}

/**
 * What stands in the place of `encode` for callers in process: the answer is handed over, and the call lasts until it has been read to its
 * end, is given up, or its time is over.
 */
export function handOver(operation: Operation): Stage | null {
  if (!isStreamed(operation)) return null
  return (call) => {
    const { output } = call
    // There as a whole already.
    if (output instanceof Body && output.isReplayable) return undefined
    return new Promise((resolve, reject) => {
      const source = output instanceof Body ? output.stream() : (output as AsyncIterable<unknown>)[Symbol.asyncIterator]()
      const reading = new Reading(source, resolve, reject)
      call.attach(reading)
      call.output = output instanceof Body ? new Body(aboutOf(output), () => reading as Reading<Uint8Array>) : reading
      call.handOver()
    })
  }
}

function aboutOf({ name, type, size }: Body): Pick<Body, "name" | "type" | "size"> {
  return { name, type, size }
}

/** An answer that its caller reads, as long as its call may last. */
class Reading<T> implements AsyncIterableIterator<T>, Stoppable {
  readonly #source: AsyncIterator<T>
  readonly #ended: () => void
  readonly #failed: (error: unknown) => void
  #stopped: TrestleError | null = null
  #rejectPending: ((why: TrestleError) => void) | null = null

  constructor(source: AsyncIterator<T>, ended: () => void, failed: (error: unknown) => void) {
    this.#source = source
    this.#ended = ended
    this.#failed = failed
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#stopped) return Promise.reject(this.#stopped)
    return new Promise((resolve, reject) => {
      this.#rejectPending = reject
      this.#source.next().then(
        (result) => {
          if (result.done) this.#ended()
          resolve(result)
        },
        (error) => {
          this.#failed(error)
          reject(error)
        },
      )
    })
  }

  async return(): Promise<IteratorResult<T>> {
    await this.#source.return?.()
    this.#ended()
    return { done: true, value: undefined }
  }

  stop(why: TrestleError): void {
    this.#stopped = why
    this.#rejectPending?.(why)
    this.#source.return?.().catch(() => {})
  }
}
