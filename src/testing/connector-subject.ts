import type { Running } from "../assembly/definition.ts"
import { startApp } from "../assembly/start.ts"
import { trestle } from "../assembly/trestle.ts"
import { loadEnvironment } from "../config/environment.ts"
import type { Meta } from "../contract/call.ts"
import type { Op } from "../contract/op.ts"
import type { Policy } from "../contract/policy.ts"
import type { HasService } from "../contract/service.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { FaultProxy, type ServerPlace } from "./fault-proxy.ts"
import { TestFailure } from "./test-failure.ts"

/** The connector that is looked at: its server, and how an application declares a service of it. */
export interface ConnectorSubject {
  /** Begins the name of every promise. */
  readonly name: string
  /** Where the connector's real server listens; `null` for one that needs no network. The promises go through a proxy in front of it. */
  readonly server: ServerPlace | null
  /** What `write` answers when there is already something under the key; `null` where the service overwrites. */
  readonly conflict: string | null
  /**
   * What `write` has sent counts only after a last word of its own, as the COMMIT of a transaction: when the answer before that is lost, the
   * service undoes it. It is then `refused`, may be sent again, and the promises look whether it is really gone. Default `false`.
   */
  readonly undoesLost?: boolean
  /**
   * Declares a service of this connector for that place, with that policy, and the operations on it that the promises use. Called for
   * every promise anew; without a network, each call stands for a store of its own.
   */
  declare(place: ServerPlace | null, policy: Policy): ConnectorSample
}

/** A service of the connector, and two operations on it. */
export interface ConnectorSample {
  readonly service: HasService
  /** Values for the variables that the declaration refers to. */
  readonly variables: Readonly<Record<string, string>>
  /** Keeps a text under a key. A write that its service must not see twice: `repeat: "none"`. */
  readonly write: Op<{ key: string; text: string }, any, any, any, any>
  /** The text under a key; `NOT_FOUND` where there is none. */
  readonly read: Op<{ key: string }, any, { text: string }, any, any>
}

/** Short times, because some promises wait for them; no breaker, so that one promise does not decide another. */
const PROMISE_POLICY: Policy = { timeout: "400ms", retry: { times: 2, backoff: "10ms" }, breaker: false }

type Call<I, O> = (input: I, options?: { signal?: AbortSignal }) => Promise<{ value: O; meta: Meta }>

/** A started application over the connector, what it has logged, and the network in between. */
export interface Scene {
  readonly sample: ConnectorSample
  /** Absent where there is no network. */
  readonly proxy: FaultProxy
  readonly log: readonly string[]
  write: Call<{ key: string; text: string }, unknown>
  read: Call<{ key: string }, { text: string }>
  /** A second application, from the same declaration. */
  startAnother(): Promise<Running<any>>
  close(): Promise<void>
}

const NO_ENVIRONMENT_FILES = "/nonexistent"

/** Runs one promise in a scene of its own, and looks at the log afterwards: no promise may leak a secret. */
export async function inScene(subject: ConnectorSubject, play: (scene: Scene) => Promise<void>): Promise<void> {
  const proxy = subject.server && (await FaultProxy.open(subject.server))
  const sample = subject.declare(proxy?.place ?? null, PROMISE_POLICY)
  const log: string[] = []
  const app = trestle({ name: "connector-promises", ops: { write: sample.write, read: sample.read } })
  const start = (): Promise<Running<any>> =>
    startApp(app, {
      environment: loadEnvironment({ folder: NO_ENVIRONMENT_FILES, environment: "test", process: sample.variables }),
      logOptions: { destination: { write: (lines: string) => log.push(lines) } },
    })
  try {
    const running = await start()
    try {
      const { write, read } = running.internal() as any
      const close = (): Promise<void> => running.close()
      await play({
        sample,
        proxy: proxy!,
        log,
        write: write.detailed,
        read: read.detailed,
        startAnother: start,
        close,
      })
    } finally {
      await running.close()
    }
  } finally {
    await proxy?.close()
  }
  seeNoSecret(sample, log.join(""))
}

/** The values of all references but addresses: what stands in an address is no secret of the service's. */
function seeNoSecret(sample: ConnectorSample, text: string): void {
  for (const [name, value] of Object.entries(sample.variables)) {
    const isSecret = sample.service["~service"].references.some((reference) => reference.ref === name && (reference as any).secret === true)
    const forms = [value, Buffer.from(value).toString("base64"), encodeURIComponent(value)]
    if (isSecret && forms.some((form) => text.includes(form))) throw new TestFailure(`the value of ${name} stands in the log`)
  }
}

export function see(holds: boolean, complaint: string): asserts holds {
  if (!holds) throw new TestFailure(complaint)
}

/** The error that a call must end with. */
export async function errorOf(call: Promise<unknown>, what: string): Promise<TrestleError> {
  let answer: unknown
  try {
    answer = await call
  } catch (error) {
    see(TrestleError.is(error), `${what}: threw what is no TrestleError: ${error}`)
    return error
  }
  throw new TestFailure(`${what}: answered ${JSON.stringify(answer)} instead of failing`)
}
