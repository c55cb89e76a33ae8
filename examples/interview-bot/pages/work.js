// @ts-check
// Follows work that goes on after its call, by the events that the server sends.

/** @import { ClientFailure } from "trestle/client" */

/**
 * How work has ended. `null`: nobody knows any more.
 * @template T
 * @typedef {{ ok: true, value: T } | { ok: false, failure: Pick<ClientFailure, "code" | "detail" | "trace"> | null }} End
 */

/**
 * Resolves when the work has ended. A connection that breaks is made again by the browser itself.
 * @template T
 * @param {string} id
 * @param {(state: "waiting" | "running" | "parked") => void} onChange
 * @returns {Promise<End<T>>}
 */
export function endOfWork(id, onChange) {
  const events = new EventSource(`/work/${encodeURIComponent(id)}`)
  return new Promise((resolve) => {
    /** @param {End<T>} end */
    const over = (end) => {
      events.close()
      resolve(end)
    }
    for (const state of /** @type {const} */ (["waiting", "running", "parked"])) events.addEventListener(state, () => onChange(state))
    events.addEventListener("done", ({ data }) => over({ ok: true, value: JSON.parse(data).answer }))
    events.addEventListener("failed", ({ data }) => over({ ok: false, failure: JSON.parse(data).problem }))
    // The browser tries again by itself, unless the server has said that there is nothing.
    events.addEventListener("error", () => {
      if (events.readyState === EventSource.CLOSED) over({ ok: false, failure: null })
    })
  })
}
