// @ts-check
// Follows work that goes on after its call, by the events that the server sends.

/** @import { ClientFailure } from "trestle/client" */

/**
 * How work has ended. `null`: nobody knows any more.
 * @template T
 * @typedef {{ ok: true, value: T } | { ok: false, failure: Pick<ClientFailure, "code" | "detail" | "trace"> | null }} End
 */

/** Pause before the server is asked anew that has ended the connection, in milliseconds. */
const PAUSE_MS = 2_000

/**
 * Resolves when the work has ended. A connection that breaks is made again.
 * @template T
 * @param {string} id
 * @param {(state: "waiting" | "running" | "parked") => void} onChange
 * @returns {Promise<End<T>>}
 */
export function endOfWork(id, onChange) {
  const address = `/work/${encodeURIComponent(id)}`
  return new Promise((resolve) => {
    listen()

    function listen() {
      const events = new EventSource(address)
      /** @param {End<T>} end */
      const over = (end) => {
        events.close()
        resolve(end)
      }
      for (const state of /** @type {const} */ (["waiting", "running", "parked"])) events.addEventListener(state, () => onChange(state))
      events.addEventListener("done", ({ data }) => over({ ok: true, value: JSON.parse(data).answer }))
      events.addEventListener("failed", ({ data }) => over({ ok: false, failure: JSON.parse(data).problem }))
      // What breaks is mended by the browser; not what the server refuses, nor what ends because the page is left.
      events.addEventListener("error", () => {
        if (events.readyState === EventSource.CLOSED) setTimeout(lookAgain, PAUSE_MS)
      })
    }

    async function lookAgain() {
      const reply = await fetch(address).catch(() => null)
      if (reply?.status === 404) resolve({ ok: false, failure: null })
      else listen()
    }
  })
}
