import type { NewJob, NewMessage } from "../contract/job.ts"
import type { Operation } from "../contract/operation.ts"
import { compileShape, type Shape } from "../contract/shape.ts"
import { type DeclaredTopic, topicOf } from "../contract/topic.ts"
import { invalid, TrestleError } from "../errors/trestle-error.ts"

/** Gives messages to the operations that take them: one job a message and consumer. */
export class Messages {
  readonly #consumers = new Map<string, Operation[]>()
  readonly #shapes = new WeakMap<DeclaredTopic, Shape>()

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) {
      const { on } = operation.declaration.contract
      if (on === undefined) continue
      const { topic } = topicOf(on)
      this.#consumers.set(topic, [...(this.#consumers.get(topic) ?? []), operation])
    }
  }

  /**
   * One job for every consumer of the topic; its id is the message's with the path of the consumer.
   *
   * @throws {TrestleError} `INVALID`: the payload is not what the topic says.
   */
  jobsOf(message: NewMessage): NewJob[] {
    const topic = topicOf(message.topic)
    const payload = this.#checked(topic, message.payload)
    return this.#jobs(message, topic, topic.key === null ? null : topic.key(payload))
  }

  /** The same for a message that was checked when it was written: what fits no more is refused by its consumers, and so seen by a person. */
  jobsOfStored(message: NewMessage): NewJob[] {
    try {
      return this.jobsOf(message)
    } catch {
      return this.#jobs(message, topicOf(message.topic), null)
    }
  }

  /** @throws {TrestleError} `INVALID`: the payload is not what the topic says. */
  check({ topic, payload }: Pick<NewMessage, "topic" | "payload">): void {
    this.#checked(topicOf(topic), payload)
  }

  /** Names of the topics that some consumer takes. */
  get topics(): readonly string[] {
    return [...this.#consumers.keys()]
  }

  /** What some consumer takes. */
  topicNamed(name: string): DeclaredTopic | undefined {
    const on = this.#consumers.get(name)?.[0]?.declaration.contract.on
    return on && topicOf(on)
  }

  #jobs(message: NewMessage, topic: DeclaredTopic, orderKey: string | null): NewJob[] {
    const consumers = this.#consumers.get(topic.topic) ?? []
    return consumers.map(({ path, contractHash }) => ({
      id: `${message.id}/${path}`,
      kind: "message",
      operation: path,
      input: message.payload,
      orderKey,
      blocks: orderKey !== null && topic.onDead === "block",
      principal: message.principal,
      isOwnAuthority: message.isOwnAuthority,
      trace: message.trace,
      idempotencyKey: `${message.id}/${path}`,
      contractHash,
      version: message.version ?? topic.version,
      ...(message.keepMs === undefined ? {} : { keepMs: message.keepMs }),
    }))
  }

  #checked(topic: DeclaredTopic, payload: unknown): unknown {
    const checked = this.#shapeOf(topic).check(payload)
    if (checked instanceof Promise)
      throw new TrestleError("INTERNAL", undefined, {
        note: `the schema of the topic ${topic.topic} answers with a promise; a topic's must answer at once`,
      })
    if ("issues" in checked) throw invalid(checked.issues, `The payload is not what the topic ${topic.topic} says.`)
    return checked.value
  }

  #shapeOf(topic: DeclaredTopic): Shape {
    const known = this.#shapes.get(topic)
    if (known) return known
    const shape = compileShape(topic.payload, "input")
    if ("why" in shape)
      throw new TrestleError("INTERNAL", undefined, { note: `the schema of the topic ${topic.topic} has no JSON form: ${shape.why}` })
    this.#shapes.set(topic, shape)
    return shape
  }
}
