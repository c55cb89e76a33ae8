// @ts-check
import { byId, setText, within } from "./dom.js"

/** @import { Failure, ToldMeta } from "trestle/client" */
/** @typedef {"bad" | "mild" | "good"} Tone */

const notice = byId("notice", HTMLElement)
const button = within(notice, "button")
/** @type {(() => void) | undefined} */
let again

button.addEventListener("click", () => {
  hideNotice()
  again?.()
})

/**
 * @param {{ title: string, text: string, tone: Tone, support?: string, retry?: () => void }} words
 */
export function showNotice({ title, text, tone, support = "", retry }) {
  within(notice, "h2").textContent = title
  setText(within(notice, ".text"), text)
  within(notice, ".support").textContent = support
  within(notice, ".support").hidden = support === ""
  notice.dataset.tone = tone
  button.hidden = retry === undefined
  again = retry
  notice.hidden = false
  notice.scrollIntoView({ block: "nearest" })
}

export function hideNotice() {
  notice.hidden = true
}

/**
 * Says what a failure means for whoever reads it.
 * @param {Failure<string>} failure
 * @param {{ retry?: () => void, isSafeAgain?: boolean, hasWritten?: boolean }} [options] `isSafeAgain`: doing it twice has the effect of
 * doing it once. `hasWritten`: something in a field waits to be sent
 */
export function showFailure(failure, { retry, isSafeAgain = true, hasWritten = false } = {}) {
  const support = failure.trace === "" ? "" : `Support id: ${failure.trace}`
  const words = wordsFor(failure, isSafeAgain, hasWritten ? " What you wrote is still here." : "")
  const mayRetry = retry !== undefined && (isSafeAgain || failure.outcome !== "unknown")
  showNotice({ ...words, support, ...(mayRetry ? { retry } : {}) })
}

/**
 * Says that an answer is not the first choice's; why, to those who may know.
 * @param {ToldMeta} meta
 */
export function showDegraded({ degraded }) {
  if (!degraded) return
  const support = degraded.why === "withheld" ? "" : `Why: ${degraded.why}`
  showNotice({
    title: "From the replica",
    text: "The first choice does not answer, so this comes from its replica.",
    tone: "mild",
    support,
  })
}

/**
 * @param {Failure<string>} failure
 * @param {boolean} isSafeAgain
 * @param {string} stillHere
 * @returns {{ title: string, text: string, tone: Tone }}
 */
function wordsFor({ code, detail, outcome, trace }, isSafeAgain, stillHere) {
  if (outcome === "unknown" && !isSafeAgain)
    return {
      title: "We cannot tell whether it worked",
      text: "Your request left, but no answer came back. It may have been carried out, so please do not send it again: write to us, and name the support id.",
      tone: "bad",
    }
  if (trace === "" && outcome === "unknown") return { title: "No connection", text: `The server did not answer.${stillHere}`, tone: "mild" }
  if (code === "UNAVAILABLE" || code === "TIMEOUT" || outcome === "unknown")
    return {
      title: "Not available just now",
      text: `One of the systems behind this page does not answer.${stillHere} Please try again in a moment.`,
      tone: "mild",
    }
  return { title: "That did not work", text: detail, tone: "bad" }
}
