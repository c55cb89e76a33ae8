// @ts-check
// The recruiter's page: all candidates, one candidate, and the scores of the answers. Each view has its address: #1001 is a candidate.
import { answerCard, showScore } from "./answer-card.js"
import { apiFor } from "./api.js"
import { byId, copyOf, say, setText, show, within } from "./dom.js"
import { clearIssues, onSubmit, showIssues } from "./form.js"
import { hideNotice, showFailure, showNotice } from "./notice.js"

/** @import { Failure, Meta } from "trestle/client" */
/** @import { Answer } from "./answer-card.js" */
/** @import { Api } from "./api.js" */
/** @typedef {Awaited<ReturnType<Api["candidates"]["show"]>>} Candidate */
/** @typedef {Awaited<ReturnType<Api["answers"]["tally"]>>[number]} Tally */

const KEY = "recruiter-key"
const PAGE_SIZE = 50

const keyForm = byId("key-form", HTMLFormElement)
let key = sessionStorage.getItem(KEY)
let page = 1

onSubmit(keyForm, enter)
byId("earlier", HTMLButtonElement).addEventListener("click", () => turnTo(page - 1))
byId("later", HTMLButtonElement).addEventListener("click", () => turnTo(page + 1))
byId("sign-out", HTMLButtonElement).addEventListener("click", () => {
  forgetKey()
  location.hash = ""
  showView()
})
addEventListener("hashchange", showView)

await showView()

async function showView() {
  hideNotice()
  byId("all", HTMLElement).hidden = byId("sign-out", HTMLElement).hidden = key === null
  const id = location.hash.slice(1)
  if (key === null) show("enter")
  else if (id === "" || id === "all") await showList()
  else await showCandidate(id)
}

/** A key is good when the list opens with it. @param {FormData} values */
async function enter(values) {
  clearIssues(keyForm)
  hideNotice()
  const given = String(values.get("key")).trim()
  if (given === "") return void showIssues(keyForm, [{ path: "key", message: "Please enter the key." }])
  const result = await apiFor(given).answers.tally.safe({ candidateIds: [] })
  if (result.ok) {
    key = given
    sessionStorage.setItem(KEY, given)
    keyForm.reset()
    await showView()
  } else if (result.code === "UNAUTHENTICATED") showIssues(keyForm, [{ path: "key", message: "This key is not valid (any more)." }])
  else if (result.code === "FORBIDDEN") showIssues(keyForm, [{ path: "key", message: "This key is not a recruiter's." }])
  else showFailure(result, { retry: () => keyForm.requestSubmit() })
}

function forgetKey() {
  key = null
  sessionStorage.removeItem(KEY)
}

function api() {
  return apiFor(key ?? "")
}

/** @param {Failure<string>} failure @param {() => void} retry */
async function refused(failure, retry) {
  if (failure.code !== "UNAUTHENTICATED") return showFailure(failure, { retry })
  forgetKey()
  await showView()
  showNotice({ title: "Please enter the key again", text: "The one that this tab had is no longer valid.", isMild: true })
}

/** @param {number} to */
async function turnTo(to) {
  page = to
  await showView()
}

async function showList() {
  const result = await api().candidates.list.safe({ page })
  if (!result.ok) {
    fillList([], 0, "The list cannot be shown just now.")
    return refused(result, showView)
  }
  const { candidates, total } = result.value
  const tallies = await api().answers.tally.safe({ candidateIds: candidates.map(({ id }) => id) })
  const of = new Map(tallies.ok ? tallies.value.map((tally) => [tally.candidateId, tally]) : [])
  const rows = candidates.map((candidate) => row(candidate, of.get(candidate.id)))
  fillList(rows, total, total === 0 ? "Nobody has signed up yet." : total === 1 ? "One person." : `${total} people.`)
  tellDegraded(result.meta)
}

/** @param {HTMLElement[]} rows @param {number} total @param {string} lead */
function fillList(rows, total, lead) {
  const first = (page - 1) * PAGE_SIZE + 1
  const last = first + rows.length - 1
  byId("people", HTMLElement).replaceChildren(...rows)
  byId("people", HTMLElement).hidden = rows.length === 0
  byId("total", HTMLElement).textContent = lead
  byId("range", HTMLElement).textContent = first < last ? `${first} to ${last} of ${total}` : `${last} of ${total}`
  byId("earlier", HTMLButtonElement).disabled = page === 1
  byId("later", HTMLButtonElement).disabled = page * PAGE_SIZE >= total
  byId("paging", HTMLElement).hidden = total <= PAGE_SIZE
  show("list")
}

/** @param {Candidate} candidate @param {Tally | undefined} tally */
function row({ id, name, email, level }, tally) {
  const item = copyOf("person-template")
  const link = within(item, "a")
  link.setAttribute("href", `#${id}`)
  within(item, "b").textContent = name
  within(item, "small").textContent = `${email} · ${level}`
  within(item, ".state").textContent = tally ? `${tally.answered} answered, ${tally.scored} scored` : "nothing answered"
  return item
}

/** The answers are the bot's own, so they are shown even while nobody can say whose they are. @param {string} id */
async function showCandidate(id) {
  const [candidate, answers] = await Promise.all([api().candidates.show.safe({ id }), api().answers.list.safe({ candidateId: id })])
  if (!answers.ok) return refused(answers, showView)
  const name = candidate.ok ? candidate.value.name : `Candidate ${id}`
  byId("candidate-name", HTMLElement).textContent = name
  byId("facts", HTMLElement).replaceChildren(...(candidate.ok ? factsOf(candidate.value) : []))
  byId("answers", HTMLElement).replaceChildren(...answers.value.map(scoreableCard))
  const count = answers.value.length
  byId("answers-title", HTMLElement).textContent = count === 0 ? "No answers yet" : count === 1 ? "One answer" : `${count} answers`
  show("candidate")
  if (candidate.ok) tellDegraded(candidate.meta)
  else await refused(candidate, showView)
}

/** @param {Candidate} candidate */
function factsOf({ id, email, level, active, registeredOn }) {
  const day = new Date(`${registeredOn}T00:00:00Z`)
  const date = day.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" })
  const facts = { "E-mail": email, Level: level, "Signed up": date, Number: active ? id : `${id} (not active)` }
  return Object.entries(facts).map(([term, value]) => {
    const fact = copyOf("fact-template")
    within(fact, "dt").textContent = term
    within(fact, "dd").textContent = value
    return fact
  })
}

/** @param {Answer} answer */
function scoreableCard(answer) {
  const card = answerCard(answer)
  if (answer.score === null) addScoreButton(card, answer)
  return card
}

/** @param {HTMLElement} card @param {Answer} answer */
function addScoreButton(card, answer) {
  const button = document.createElement("button")
  button.type = "button"
  button.className = "quiet"
  button.textContent = "Score this answer"
  button.setAttribute("aria-label", `Score the answer to: ${answer.question}`)
  button.addEventListener("click", () => score(card, answer, button))
  within(card, ".score").replaceChildren(button)
}

/** @param {HTMLElement} card @param {Answer} answer @param {HTMLButtonElement} button */
async function score(card, answer, button) {
  if (button.getAttribute("aria-disabled") === "true") return
  button.setAttribute("aria-disabled", "true")
  button.textContent = "Scoring…"
  hideNotice()
  const result = await api().answers.score.safe({ id: answer.id })
  if (!result.ok) {
    addScoreButton(card, answer)
    return refused(result, () => within(card, "button").click())
  }
  showScore(card, result.value)
  if (result.meta.servedBy === "placeholder") markPlaceholder(card)
  say(`Scored ${result.value.score} of 10.`)
}

/** What nobody has read must not look like a judgement. @param {HTMLElement} card */
function markPlaceholder(card) {
  const tag = document.createElement("span")
  tag.className = "tag placeholder"
  tag.textContent = "Placeholder"
  within(card, ".score p").append(" ", tag)
  const what = document.createElement("p")
  setText(what, "Nobody has read this answer: the score is made up, and not kept. `SCORING_URL=demo npm start` has a real one.")
  within(card, ".score").append(what)
}

/** @param {Meta} meta */
function tellDegraded({ degraded }) {
  if (!degraded) return
  const why = degraded.why === "withheld" ? "" : `Why: ${degraded.why}`
  showNotice({
    title: "From the replica",
    text: "The first choice does not answer, so this comes from its replica.",
    support: why,
    isMild: true,
  })
}
