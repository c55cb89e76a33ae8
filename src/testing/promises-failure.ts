import type { TrestleError } from "../errors/trestle-error.ts"
import type { PlannedPromise } from "./connector-promises.ts"
import { errorOf, type Scene, see } from "./connector-subject.ts"
import type { ProxyMode } from "./fault-proxy.ts"

/** What a healthy connector takes of an endless answer before it hangs up: its own bound, and what was in the buffers on the way. */
const FLOOD_BYTES_MAX = 64 * 1_048_576

const FAULTS: readonly { readonly mode: ProxyMode; readonly what: string }[] = [
  { mode: "mute", what: "no answer" },
  { mode: "drop", what: "a connection that is lost before the answer" },
  { mode: "truncate", what: "an answer that breaks off" },
  { mode: "garble", what: "an answer in no protocol" },
  { mode: "flood", what: "an answer without end" },
]

/** What happens when the network, or the server, fails. */
export function failurePromises(undoesLost: boolean): PlannedPromise[] {
  return [...FAULTS.flatMap(({ mode, what }) => [writeUnder(mode, what, undoesLost), readUnder(mode, what)]), ...losses]
}

function writeUnder(mode: ProxyMode, what: string, undoesLost: boolean): PlannedPromise {
  return {
    promise: `${what} → a write is ${undoesLost ? "refused and undone" : "unknown, was sent once"}, and the next call is well`,
    see: async (scene) => {
      const { write, proxy } = scene
      await warm(scene)
      proxy.mode = mode
      const error = await errorOf(write({ key: "once-only", text: "marked-text" }), `a write under "${mode}"`)
      if (undoesLost) return seeUndone(scene, error)
      const times = proxy.timesSent("once-only")
      see(times <= 1, `the write was sent ${times} times: a repeat that nobody allowed`)
      const outcome = times === 0 ? "refused" : "unknown"
      see(error.outcome === outcome, `it was sent ${times} times, and its outcome is ${error.outcome}: it must be ${outcome}`)
      see(times === 0 || error.code === "OUTCOME_UNKNOWN", `it is ${error.code}, and must be OUTCOME_UNKNOWN`)
      seeBounded(scene)
      await well(scene)
    },
  }
}

/** Refused means that nothing has happened, so nothing may be there. */
async function seeUndone(scene: Scene, error: TrestleError): Promise<void> {
  see(error.outcome === "refused", `its outcome is ${error.outcome}, and the service undoes what was lost before its last word`)
  seeBounded(scene)
  await well(scene)
  const none = await errorOf(scene.read({ key: "once-only" }), "a read of what was refused")
  see(none.code === "NOT_FOUND", `it is called refused, and is there: ${none.code}`)
}

function readUnder(mode: ProxyMode, what: string): PlannedPromise {
  return {
    promise: `${what} → a read fails by its own name, and the next call is well`,
    see: async (scene) => {
      const { read, proxy } = scene
      await warm(scene)
      proxy.mode = mode
      const error = await errorOf(read({ key: "warm" }), `a read under "${mode}"`)
      see(["UNAVAILABLE", "TIMEOUT", "INTERNAL"].includes(error.code), `it is ${error.code}`)
      see(error.outcome === "refused", `its outcome is ${error.outcome}: a read changes nothing`)
      see(error.reason !== undefined && error.reason !== "thrown", `the connector did not classify it: reason ${error.reason}`)
      seeBounded(scene)
      await well(scene)
    },
  }
}

function seeBounded({ proxy }: Scene): void {
  see(proxy.flooded <= FLOOD_BYTES_MAX, `it took ${proxy.flooded} bytes of an answer without end`)
}

/** A call that went well, so that a connection is there and what follows is the fault's doing. */
async function warm({ write, read }: Scene): Promise<void> {
  await write({ key: "warm", text: "up" })
  await read({ key: "warm" })
}

async function well({ proxy, write, read }: Scene): Promise<void> {
  proxy.mode = "pass"
  await write({ key: "well", text: "again" })
  see((await read({ key: "well" })).value.text === "again", "the answer after the fault is wrong")
}

const losses: PlannedPromise[] = [
  {
    promise: "connections that were closed while idle → the next read is well",
    see: async (scene) => {
      await warm(scene)
      await scene.proxy.cut()
      see((await scene.read({ key: "warm" })).value.text === "up", "the answer is wrong")
    },
  },
  {
    promise: "a server that goes away and comes back → refused meanwhile, well afterwards",
    see: async (scene) => {
      await warm(scene)
      await scene.proxy.down()
      // A kept connection may not know of its end before it is used, and a write on it would rightly be unknown.
      await errorOf(scene.read({ key: "warm" }), "a read without a server")
      const error = await errorOf(scene.write({ key: "away", text: "x" }), "a write without a server")
      see(error.outcome === "refused", `a write without a server is ${error.outcome}: nothing can have happened`)
      await scene.proxy.up()
      await well(scene)
    },
  },
]
