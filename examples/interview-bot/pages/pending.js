// @ts-check
// A registration that is kept while the people service is out: the page waits with the candidate, and goes on by itself.
import { byId, say, show } from "./dom.js"
import { hideNotice, showNotice } from "./notice.js"
import { dropPending } from "./session.js"
import { fillSignUp, refuseSignUp } from "./sign-up.js"
import { endOfWork } from "./work.js"

/** @import { Pending, Session } from "./session.js" */

/** Counts those that were begun: whoever has signed out in the meantime is not taken back. */
let begun = 0

/**
 * Follows a registration to its end: then `begin` is called, or the form is there again, with what was wrong at the field.
 * @param {Pending} pending
 * @param {(session: Session) => Promise<void>} begin
 */
export async function waitFor(pending, begin) {
  const turn = ++begun
  hideNotice()
  byId("pending-email", HTMLElement).textContent = pending.email
  show("pending")
  const end = await endOfWork(pending.work, showState)
  if (turn !== begun) return
  dropPending()
  if (end.ok) {
    const { id, token } = /** @type {{ id: string, token: string }} */ (end.value)
    await begin({ id, token, name: pending.name, level: pending.level })
    return say("Your registration is made.")
  }
  fillSignUp(pending)
  show("welcome")
  if (end.failure === null || !refuseSignUp(end.failure))
    showNotice({
      title: "Your registration could not be made",
      text: "Nothing was lost but time: what you entered is still here. Please send it again.",
      tone: "bad",
      support: end.failure?.trace ? `Support id: ${end.failure.trace}` : "",
    })
}

/** Ends the waiting of this tab; the registration itself goes on. */
export function stopWaiting() {
  begun++
  dropPending()
}

/** @param {"waiting" | "running" | "parked"} state */
function showState(state) {
  const words = {
    waiting: "Waiting for one of our systems to come back",
    running: "Making your record",
    parked: "Somebody of ours has to look at it",
  }
  byId("pending-state", HTMLElement).textContent = words[state]
}
