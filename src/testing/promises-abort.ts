import type { PlannedPromise } from "./connector-promises.ts"
import { errorOf, see } from "./connector-subject.ts"

/** What happens when the caller gives up. */
export function abortPromises(hasNetwork: boolean, undoesLost: boolean): PlannedPromise[] {
  return [...everywhere, ...(hasNetwork ? [givenUpMeanwhile(undoesLost)] : [])]
}

const everywhere: PlannedPromise[] = [
  {
    promise: "given up before the call → nothing happens",
    see: async ({ write, read }) => {
      const error = await errorOf(write({ key: "never", text: "x" }, { signal: AbortSignal.abort() }), "a write given up before")
      see(error.code === "CANCELLED" && error.outcome === "refused", `it is ${error.code}, ${error.outcome}`)
      const none = await errorOf(read({ key: "never" }), "a read of what was never written")
      see(none.code === "NOT_FOUND", `it is ${none.code}: the write has happened`)
    },
  },
  {
    promise: "given up after the call → nothing changes",
    see: async ({ write, read }) => {
      const controller = new AbortController()
      await write({ key: "done", text: "kept" }, { signal: controller.signal })
      controller.abort()
      see((await read({ key: "done" })).value.text === "kept", "the answer is wrong")
    },
  },
]

function givenUpMeanwhile(undoesLost: boolean): PlannedPromise {
  const outcome = undoesLost ? "refused" : "unknown"
  return {
    promise: `given up while the answer is awaited → ends at once as ${outcome}; the connection is closed where the driver can`,
    see: async ({ write, read, proxy, sample }) => {
      await write({ key: "warm", text: "up" })
      proxy.mode = "mute"
      const controller = new AbortController()
      const writing = errorOf(write({ key: "halfway", text: "x" }, { signal: controller.signal }), "a write given up meanwhile")
      await proxy.sent("halfway")
      controller.abort()
      const error = await writing
      see(error.outcome === outcome, `its outcome is ${error.outcome}, and it had left for the server: it must be ${outcome}`)
      const canCancel = sample.service["~service"].capabilities?.cancel !== false
      if (canCancel) await proxy.left("halfway")
      proxy.mode = "pass"
      see((await read({ key: "warm" })).value.text === "up", "the answer after it is wrong")
      if (!undoesLost) return
      const none = await errorOf(read({ key: "halfway" }), "a read of what was refused")
      see(none.code === "NOT_FOUND", `it is called refused, and is there: ${none.code}`)
    },
  }
}
