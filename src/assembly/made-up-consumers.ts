import type { Operation } from "../contract/operation.ts"
import type { EventLog } from "../contract/ports.ts"
import { topicOf } from "../contract/topic.ts"
import { within } from "../runtime/within.ts"

/** A placeholder on a topic answers its messages: they are done for ever, though nothing has happened. */
export function warnOfMadeUpConsumers(operations: readonly Operation[], events: EventLog): void {
  for (const { path, declaration } of operations) {
    const { on } = declaration.contract
    if (on === undefined || !mayMakeUp(declaration)) continue
    const { topic } = topicOf(on)
    events.warn(`${path} is a placeholder on ${topic}: messages that it takes are gone, though nothing has happened`, {
      consumer: path,
      topic,
    })
  }
}

function mayMakeUp({ backend }: Operation["declaration"]): boolean {
  return backend === null || within(backend).some(({ plan }) => plan.placeholder !== undefined)
}
