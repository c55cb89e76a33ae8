export type Items = AsyncIterable<unknown> | Iterable<unknown>

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/**
 * What is made of each item of a source, one after the other. Its end is the source's end at once, even while the source waits for its
 * next item: a generator in its place would hear of it with that item, which may never come.
 */
export class EachItem<T> implements AsyncIterableIterator<T> {
  readonly #items: Items
  readonly #make: (item: unknown) => T | Promise<T>
  #source: AsyncIterator<unknown> | Iterator<unknown> | null = null
  #isOver = false

  constructor(items: Items, make: (item: unknown) => T | Promise<T>) {
    this.#items = items
    this.#make = make
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#isOver) return DONE
    const { done, value } = await this.#step()
    if (done) this.#isOver = true
    if (this.#isOver) return DONE
    try {
      return { done: false, value: await this.#make(await value) }
    } catch (error) {
      void this.return()
      throw error
    }
  }

  /** What the source says to its end changes nothing any more. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#isOver) {
      this.#isOver = true
      await Promise.resolve(this.#source?.return?.()).catch(() => {})
    }
    return DONE
  }

  /** A source that throws is over. */
  async #step(): Promise<IteratorResult<unknown>> {
    try {
      this.#source ??= iteratorOf(this.#items)
      return await this.#source.next()
    } catch (error) {
      this.#isOver = true
      throw error
    }
  }
}

function iteratorOf(items: Items): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
}
