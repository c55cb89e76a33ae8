import { callerPlace, type SourcePlace } from "../base/source-place.ts"
import type { In, Out, Std } from "./schema.ts"

export interface TopicOptions<P> {
  /** Of the payload's shape; a consumer says which it takes by naming this topic. 1 and more. Default 1. */
  version?: number
  /** Messages of one key are delivered one after the other, in the order in which they were published. Default: no order. */
  key?: (payload: P) => string
  /** When a message of a key is given up on: `block` holds the later ones of that key until a person decides, `skip` goes on. Default `block`. */
  onDead?: "block" | "skip"
}

/** A named stream of messages of one shape. `T` is what consumers get. */
export interface Topic<T, I = T> {
  readonly topic: string
  readonly "~t"?: T
  readonly "~i"?: I
}

/** What a topic is at run time. */
export interface DeclaredTopic extends Topic<unknown> {
  readonly payload: Std
  readonly version: number
  readonly key: ((payload: any) => string) | null
  readonly onDead: "block" | "skip"
  readonly at: SourcePlace | null
}

/**
 * Declares a topic: what its messages look like, and whether they have an order. Opens nothing.
 *
 * Delivery is at least once; a consumer whose effect is in one SQL database has it exactly once, see `on` of a contract.
 */
export function topic<S extends Std<any, any>>(name: string, payload: S, options: TopicOptions<Out<S>> = {}): Topic<Out<S>, In<S>> {
  const declared: DeclaredTopic = {
    topic: name,
    payload,
    version: options.version ?? 1,
    key: options.key ?? null,
    onDead: options.onDead ?? "block",
    at: callerPlace(topic),
  }
  return declared as Topic<Out<S>, In<S>>
}

export function topicOf(topic: Topic<any, any>): DeclaredTopic {
  return topic as DeclaredTopic
}
