import type { PlannedPromise } from "./connector-promises.ts"
import { errorOf, see } from "./connector-subject.ts"

/** Opening and closing. */
export function lifePromises(hasNetwork: boolean): PlannedPromise[] {
  return [...everywhere, ...(hasNetwork ? overNetwork : [])]
}

const everywhere: PlannedPromise[] = [
  {
    promise: "its declaration → names its service, and is without mistakes",
    see: async ({ sample }) => {
      const { name, kind, mistakes } = sample.service["~service"]
      see(name !== "" && kind !== "", "the service has no name or no kind")
      see(mistakes.length === 0, `mistakes: ${mistakes.join("; ")}`)
    },
  },
  {
    promise: "closed twice → the second does nothing",
    see: async ({ write, close }) => {
      await write({ key: "life", text: "once" })
      await Promise.all([close(), close()])
      await close()
    },
  },
  {
    promise: "closed with calls under way → they end first",
    see: async ({ write, close }) => {
      const writing = write({ key: "drained", text: "kept" })
      await close()
      await writing
    },
  },
  {
    promise: "two applications from one declaration → one goes on when the other closes",
    see: async ({ write, read, startAnother }) => {
      const other = await startAnother()
      await write({ key: "shared", text: "both" })
      await other.close()
      see((await read({ key: "shared" })).value.text === "both", "the answer after the other's close is wrong")
    },
  },
]

const overNetwork: PlannedPromise[] = [
  {
    promise: "closed → no connection is left",
    see: async ({ write, close, proxy }) => {
      await write({ key: "left", text: "nothing" })
      see(proxy.opened > 0, "the connector did not go through the place that it was declared for")
      await close()
      await proxy.quiet()
    },
  },
  {
    promise: "no server at the start → the start succeeds, calls are refused, and all is well when it is there",
    see: async ({ startAnother, proxy, sample }) => {
      await proxy.down()
      const running = await startAnother()
      try {
        const { write, read } = running.internal() as any
        const error = await errorOf(write({ key: "early", text: "bird" }), "a write without a server")
        see(error.outcome === "refused", `a write without a server is ${error.outcome}, and must be refused: nothing can have happened`)
        see(error.code === "UNAVAILABLE", `it is ${error.code}, and must be UNAVAILABLE`)
        see(error.note?.includes(sample.service["~service"].name) === true, `its note does not name the service: ${error.note}`)
        await proxy.up()
        await write({ key: "early", text: "worm" })
        see((await read({ key: "early" })).text === "worm", "the answer is wrong")
      } finally {
        await running.close()
      }
    },
  },
]
