// @ts-check
// The recruiter's page. Each view has its address: #1001 is a candidate, everything else the list.
import { apiFor } from "./api.js"
import { showList } from "./candidate-list.js"
import { showCandidate } from "./candidate-view.js"
import { byId, say, show } from "./dom.js"
import { clearIssues, onSubmit, showIssues } from "./form.js"
import { hideNotice, showFailure, showNotice } from "./notice.js"
import { download, isMissing } from "./recording.js"
import { forgetKey, keepKey, readKey } from "./recruiter-key.js"

/** @import { Failure } from "trestle/client" */

const keyForm = byId("key-form", HTMLFormElement)
let page = 1
/** Counts the views that were asked for: an answer that comes late must not take the place of a later one. */
let asked = 0

onSubmit(keyForm, enter)
byId("earlier", HTMLButtonElement).addEventListener("click", () => turnTo(page - 1))
byId("later", HTMLButtonElement).addEventListener("click", () => turnTo(page + 1))
byId("fetch-recording", HTMLButtonElement).addEventListener("click", fetchRecording)
byId("sign-out", HTMLButtonElement).addEventListener("click", signOut)
addEventListener("hashchange", showView)

await showView()

function candidateId() {
  return /^#(\d+)$/.exec(location.hash)?.[1]
}

async function showView() {
  hideNotice()
  const turn = ++asked
  const isWanted = () => turn === asked
  const hasKey = readKey() !== null
  byId("all", HTMLElement).hidden = byId("sign-out", HTMLElement).hidden = !hasKey
  const id = candidateId()
  if (!hasKey) show("enter")
  else if (id === undefined) await showList({ page, isWanted, refused: (failure) => refused(failure, showView) })
  else await showOne(id, isWanted)
}

/**
 * @param {string} id
 * @param {() => boolean} isWanted
 */
async function showOne(id, isWanted) {
  const recording = byId("recording", HTMLElement)
  recording.hidden = true
  await showCandidate({ id, isWanted, refused })
  const hasNone = await isMissing(id, readKey() ?? "")
  if (isWanted()) recording.hidden = hasNone
}

/** @param {number} to */
async function turnTo(to) {
  page = to
  await showView()
}

/** @param {FormData} values */
async function enter(values) {
  clearIssues(keyForm)
  hideNotice()
  const key = String(values.get("key")).trim()
  /** @param {string} message */
  const wrong = (message) => void showIssues(keyForm, [{ path: "key", message }])
  if (key === "") return wrong("Please enter the key.")
  const result = await apiFor(key).answers.tally.safe({})
  if (!result.ok && result.code === "UNAUTHENTICATED") return wrong("This key is not valid (any more).")
  if (!result.ok && result.code === "FORBIDDEN") return wrong("This key is not a recruiter's.")
  if (!result.ok) return showFailure(result, { retry: () => keyForm.requestSubmit() })
  keepKey(key)
  keyForm.reset()
  await showView()
}

async function signOut() {
  forgetKey()
  page = 1
  history.replaceState(null, "", location.pathname)
  await showView()
}

/**
 * @param {Failure<string>} failure
 * @param {() => void} retry
 */
async function refused(failure, retry) {
  if (failure.code !== "UNAUTHENTICATED") return showFailure(failure, { retry })
  forgetKey()
  await showView()
  showNotice({ title: "Please enter the key again", text: "The one that this tab had is no longer valid.", tone: "mild" })
}

async function fetchRecording() {
  hideNotice()
  const result = await download(candidateId() ?? "", readKey() ?? "")
  if (result.ok) say("The recording has been fetched.")
  else if (result.code === "NOT_FOUND")
    showNotice({ title: "No recording", text: "This candidate has not sent one, which nobody has to.", tone: "mild" })
  else await refused(result, fetchRecording)
}
