// A total outage at the end of a chain of applications: how many attempts the calls of those at its top become at its bottom.
import { z } from "zod"
import { anyone, op, type Policy, rest } from "../../../src/index.ts"
import { replies, resets } from "../kit/behaviours.ts"
import { type Started, started } from "../kit/fault.ts"
import { Receiver } from "../kit/receiver.ts"

export interface OutageOptions {
  readonly calls: number
  /** Trestle applications, each behind the HTTP entrance of the one before. */
  readonly layers: number
  /** What the service at the bottom does. */
  readonly outage: "resets" | "503"
  /** Default: the built-in one. `false` leaves the work to the retry budget alone. */
  readonly breaker?: false
  /** Calls under way at once. Default 32. */
  readonly parallel?: number
}

export interface OutageFigures {
  readonly calls: number
  /** Calls that were told of success: none may be. */
  readonly answered: number
  /** Requests that arrived at the bottom, for each call at the top. */
  readonly attemptsPerCall: number
}

const Id = z.object({ id: z.string() })

function layer(url: string, policy: Policy): Promise<Started> {
  const below = rest({ url, name: "below", policy })
  const get = op({ http: "GET /things/{id}", input: Id, output: Id, allow: anyone("a test"), anyObject: "a test" }).via(
    below.call("GET /things/{id}"),
  )
  return started({ get })
}

export async function totalOutage({ calls, layers, outage, breaker, parallel = 32 }: OutageOptions): Promise<OutageFigures> {
  await using bottom = await Receiver.open(outage === "503" ? replies(503) : resets)
  // A pause that does not wait, or 10,000 calls would take an hour; how many attempts there are does not depend on it.
  const policy: Policy = { retry: { times: 2, backoff: "1ms" }, ...(breaker === false ? { breaker } : {}) }
  const apps: Started[] = [await layer(bottom.url, policy)]
  while (apps.length < layers) apps.unshift(await layer((await apps[0]!.running.listen({ port: 0 })).url, policy))
  try {
    let begun = 0
    let answered = 0
    const caller = async (): Promise<void> => {
      while (begun++ < calls) if ((await apps[0]!.ask.get.safe({ id: "7" })).ok) answered++
    }
    await Promise.all(Array.from({ length: parallel }, caller))
    return { calls, answered, attemptsPerCall: bottom.arrivals.length / calls }
  } finally {
    for (const app of apps) await app.running.close()
  }
}
