/** Runs asynchronous steps one after the other, in the order asked for; a step that fails does not stop the next. */
export function queueOfTurns(): <T>(step: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (step) => {
    const turn = last.then(step)
    last = turn.catch(() => undefined)
    return turn
  }
}
