// @ts-check
import { copyOf, setText, within } from "./dom.js"

/** @import { Api } from "./api.js" */
/** @typedef {Awaited<ReturnType<Api["answers"]["list"]>>[number]} Answer */

/**
 * One answer under its question, with its score where it has one.
 * @param {Answer} answer
 * @returns {HTMLElement}
 */
export function answerCard({ topic, question, text, score }) {
  const card = copyOf("answer-template")
  within(card, ".topic").textContent = topic
  setText(within(card, ".question"), question)
  within(card, ".given").textContent = text
  if (score) showScore(card, score)
  else within(card, ".score").textContent = "No score yet."
  return card
}

/**
 * @param {HTMLElement} card
 * @param {{ score: number, why: string }} score
 */
export function showScore(card, { score, why }) {
  const points = document.createElement("p")
  const number = document.createElement("b")
  number.textContent = String(score)
  points.append(number, " of 10")
  const reason = document.createElement("p")
  reason.textContent = why
  within(card, ".score").replaceChildren(points, reason)
}

/** What nobody has read must not look like a judgement. @param {HTMLElement} card */
export function markPlaceholder(card) {
  const tag = document.createElement("span")
  tag.className = "tag placeholder"
  tag.textContent = "Placeholder"
  within(card, ".score p").append(" ", tag)
  const what = document.createElement("p")
  setText(what, "Nobody has read this answer: the score is made up, and not kept. `SCORING_URL=demo npm start` has a real one.")
  within(card, ".score").append(what)
}
