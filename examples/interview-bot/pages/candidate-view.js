// @ts-check
import { answerCard, markPlaceholder, showScore } from "./answer-card.js"
import { byId, copyOf, say, show, within } from "./dom.js"
import { hideNotice, showDegraded } from "./notice.js"
import { api } from "./recruiter-key.js"

/** @import { Failure } from "trestle/client" */
/** @import { Answer } from "./answer-card.js" */
/** @import { Candidate } from "./candidate-list.js" */
/** @typedef {(failure: Failure<string>, retry: () => void) => unknown} Refused */

/**
 * One candidate with all answers. The answers are the bot's own, so they are shown even while nobody can say whose they are.
 * @param {{ id: string, isWanted: () => boolean, refused: Refused }} request
 */
export async function showCandidate(request) {
  const { id, isWanted, refused } = request
  const retry = () => showCandidate(request)
  const [candidate, answers] = await Promise.all([api().candidates.show.safe({ id }), api().answers.list.safe({ candidateId: id })])
  if (!isWanted()) return
  if (!answers.ok) return refused(answers, retry)
  byId("candidate-name", HTMLElement).textContent = candidate.ok ? candidate.value.name : `Candidate ${id}`
  byId("facts", HTMLElement).replaceChildren(...(candidate.ok ? factsOf(candidate.value) : []))
  byId("answers", HTMLElement).replaceChildren(...answers.value.map((answer) => cardOf(answer, refused)))
  const count = answers.value.length
  byId("answers-title", HTMLElement).textContent = count === 0 ? "No answers yet" : count === 1 ? "One answer" : `${count} answers`
  show("candidate")
  if (candidate.ok) showDegraded(candidate.meta)
  else refused(candidate, retry)
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

/**
 * @param {Answer} answer
 * @param {Refused} refused
 */
function cardOf(answer, refused) {
  const card = answerCard(answer)
  if (answer.score === null) addScoreButton(card, answer, refused)
  return card
}

/**
 * @param {HTMLElement} card
 * @param {Answer} answer
 * @param {Refused} refused
 */
function addScoreButton(card, answer, refused) {
  const button = document.createElement("button")
  button.type = "button"
  button.className = "quiet"
  button.textContent = "Score this answer"
  button.setAttribute("aria-label", `Score the answer to: ${answer.question}`)
  within(card, ".score").replaceChildren(button)
  button.addEventListener("click", async () => {
    // The button stays where it is while it works: removing it would lose the focus.
    if (button.getAttribute("aria-disabled") === "true") return
    button.setAttribute("aria-disabled", "true")
    button.textContent = "Scoring …"
    hideNotice()
    const result = await api().answers.score.safe({ id: answer.id })
    button.removeAttribute("aria-disabled")
    button.textContent = "Score this answer"
    if (!result.ok) return refused(result, () => button.click())
    showScore(card, result.value)
    if (result.meta.servedBy === "placeholder") markPlaceholder(card)
    say(`Scored ${result.value.score} of 10.`)
  })
}
