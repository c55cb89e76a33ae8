/**
 * What the function of a flow awaits in the place of a step. It knows whether anybody awaits it: the failure of a step that nobody hears of
 * ends neither the process, as a rejection without a handler does, nor the flow as if all were well.
 */
export class StepPromise<T> extends Promise<T> {
  isHeard = false

  /** What is derived from it is an ordinary promise. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  /** `await` comes here too. */
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isHeard = true
    return super.then(onFulfilled, onRejected)
  }

  /** `lost` is told of a failure that nobody has heard of in the turn in which it came. */
  watch(lost: (thrown: unknown) => void): this {
    void super.then(undefined, (thrown) => {
      if (!this.isHeard) lost(thrown)
    })
    return this
  }
}
