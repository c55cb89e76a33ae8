// @ts-check
// The candidate's page: signing up, one question after the other, and what became of the answers.
import { answerCard } from "./answer-card.js"
import { apiFor } from "./api.js"
import { byId, say, setText, show } from "./dom.js"
import { clearIssues, onSubmit, showIssues } from "./form.js"
import { hideNotice, showFailure, showNotice } from "./notice.js"
import { stopWaiting, waitFor } from "./pending.js"
import { upload } from "./recording.js"
import { lookForScores, stopLooking } from "./scores.js"
import { dropSession, endSession, keepDraft, keepPending, keepSession, readDraft, readPending, readSession } from "./session.js"
import { onSignUp } from "./sign-up.js"

/** @import { Failure } from "trestle/client" */
/** @import { Answer } from "./answer-card.js" */
/** @import { Api } from "./api.js" */
/** @import { Pending, Session } from "./session.js" */
/** @typedef {Awaited<ReturnType<Api["questions"]["list"]>>["items"][number]} Question */

const ANSWER_LENGTH_MAX = 20_000
const BY_REPLICA = "One of our systems does not answer, so its replica keeps your registration. Nothing is missing, and you can go on."

const answerForm = byId("answer", HTMLFormElement)
const recordingForm = byId("recording", HTMLFormElement)
const text = byId("text", HTMLTextAreaElement)

/** What the views show. `open`: questions without an answer, in the order in which they will be asked. */
const state = {
  session: readSession(),
  /** @type {Question[]} */ questions: [],
  /** @type {Answer[]} */ answers: [],
  /** @type {Question[]} */ open: [],
}

onSignUp({ begin, wait })
onSubmit(answerForm, answer)
onSubmit(recordingForm, sendRecording)
text.addEventListener("input", () => {
  keepDraft(current().id, text.value)
  showCount()
})
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) answerForm.requestSubmit()
})
byId("skip", HTMLButtonElement).addEventListener("click", skip)
byId("refresh", HTMLButtonElement).addEventListener("click", refresh)
byId("leave", HTMLButtonElement).addEventListener("click", leave)
byId("stop-waiting", HTMLButtonElement).addEventListener("click", startAfresh)

const pending = readPending()
await (state.session ? resume(state.session) : pending ? waitFor(pending, begin) : show("welcome"))

/** @param {Pending} registration */
function wait(registration) {
  keepPending(registration)
  void waitFor(registration, begin)
}

function startAfresh() {
  stopWaiting()
  show("welcome")
}

/**
 * @param {Session} session
 * @param {boolean} [isByReplica]
 */
async function begin(session, isByReplica = false) {
  state.session = session
  keepSession(session)
  await resume(session)
  if (isByReplica) showNotice({ title: "You are signed up", text: BY_REPLICA, tone: "mild" })
}

/**
 * Fetches what is asked and what is answered, and goes on from there.
 * @param {Session} session
 */
async function resume(session) {
  const api = apiFor(session.token)
  const [questions, answers] = await Promise.all([
    api.questions.list.safe({ level: session.level, sort: "position" }),
    api.answers.list.safe({ candidateId: session.id }),
  ])
  if (!questions.ok) return refused(questions, () => resume(session))
  if (!answers.ok) return refused(answers, () => resume(session))
  state.questions = questions.value.items
  state.answers = answers.value
  const answered = new Set(state.answers.map(({ questionId }) => questionId))
  state.open = state.questions.filter(({ id }) => !answered.has(id))
  next()
}

/**
 * @param {Failure<string>} failure
 * @param {() => void} retry
 */
function refused(failure, retry) {
  if (failure.code !== "UNAUTHENTICATED") return showFailure(failure, { retry, hasWritten: text.value !== "" })
  dropSession()
  state.session = null
  show("welcome")
  showNotice({
    title: "Please sign up again",
    text: "This tab's pass is no longer valid. What you had written is still here.",
    tone: "mild",
  })
}

function next() {
  if (state.open.length > 0) showQuestion()
  else showDone()
}

/** The question that is asked now. */
function current() {
  const [question] = state.open
  if (!question) throw new TypeError("no question is open")
  return question
}

function showQuestion() {
  const question = current()
  const done = state.questions.length - state.open.length
  const progress = byId("progress", HTMLProgressElement)
  progress.max = state.questions.length
  progress.value = done
  byId("progress-text", HTMLElement).textContent = `${done} of ${state.questions.length} answered`
  byId("topic", HTMLElement).textContent = question.topic
  setText(byId("question", HTMLElement), question.text)
  text.value = readDraft(question.id)
  showCount()
  clearIssues(answerForm)
  byId("skip", HTMLElement).hidden = state.open.length < 2
  show("interview")
}

function showCount() {
  const { length } = text.value
  const count = byId("text-count", HTMLElement)
  const most = ANSWER_LENGTH_MAX.toLocaleString("en")
  count.textContent = `${length.toLocaleString("en")} of ${most} characters`
  count.classList.toggle("over", length > ANSWER_LENGTH_MAX)
}

/** @param {FormData} values */
async function answer(values) {
  const { session } = state
  if (!session) return
  const question = current()
  clearIssues(answerForm)
  hideNotice()
  const given = { candidateId: session.id, questionId: question.id, text: String(values.get("text")) }
  // What is typed now would not be in the answer that is saved.
  text.readOnly = true
  const result = await apiFor(session.token).answers.give.safe(given)
  text.readOnly = false
  if (result.ok) return saved(question, result.value)
  if (result.code === "ALREADY_ANSWERED") {
    // Another tab, or an attempt whose answer was lost on its way here.
    keepDraft(question.id, "")
    await resume(session)
    return showNotice({ title: "Answered before", text: "That question has an answer from you already, and it stays.", tone: "mild" })
  }
  if (result.code === "TOO_LARGE") return void showIssues(answerForm, [{ path: "text", message: "This is too long to be sent." }])
  const elsewhere = showIssues(answerForm, result.issues)
  if (result.code !== "INVALID" || elsewhere.length > 0) refused(result, () => answerForm.requestSubmit())
}

/**
 * @param {Question} question
 * @param {Answer} given
 */
function saved(question, given) {
  keepDraft(question.id, "")
  state.answers.push(given)
  state.open = state.open.filter(({ id }) => id !== question.id)
  next()
  say(state.open.length > 0 ? "Saved. Next question." : "Saved. That was the last question.")
}

/** To the end of the line. */
function skip() {
  hideNotice()
  state.open.push(...state.open.splice(0, 1))
  showQuestion()
  say("Skipped for now.")
}

function showDone() {
  byId("thanks", HTMLElement).textContent = `Thank you, ${state.session?.name}`
  showAnswers()
  show("done")
  lookForScores(look)
}

function showAnswers() {
  const { questions, answers } = state
  const scored = answers.filter(({ score }) => score !== null).length
  byId("outcome", HTMLElement).textContent =
    scored === 0
      ? "All your answers are saved. Scores appear here by themselves as soon as there are any."
      : `All your answers are saved, and ${scored} of ${answers.length} have a score.`
  const inOrder = questions.flatMap(({ id }) => answers.filter(({ questionId }) => questionId === id))
  byId("answers", HTMLElement).replaceChildren(...inOrder.map(answerCard))
}

/** Whether scores are still to come. What fails is said to nobody who has not asked: the next look may go better. */
async function look() {
  const { session } = state
  if (!session || byId("done", HTMLElement).hidden) return false
  const answers = await apiFor(session.token).answers.list.safe({ candidateId: session.id })
  if (!answers.ok) return true
  const before = state.answers.filter(({ score }) => score !== null).length
  state.answers = answers.value
  const scored = state.answers.filter(({ score }) => score !== null).length
  if (scored > before) {
    showAnswers()
    say(byId("outcome", HTMLElement).textContent ?? "")
  }
  return scored < state.answers.length
}

async function refresh() {
  if (!state.session) return
  hideNotice()
  await resume(state.session)
  say(byId("outcome", HTMLElement).textContent ?? "")
}

async function sendRecording() {
  const file = byId("file", HTMLInputElement).files?.[0]
  if (!state.session) return
  clearIssues(recordingForm)
  hideNotice()
  if (!file) return void showIssues(recordingForm, [{ path: "file", message: "Please choose a file first." }])
  showNotice({ title: "Sending …", text: "Please keep this tab open.", tone: "mild" })
  const result = await upload(state.session, file)
  hideNotice()
  if (result.ok) {
    recordingForm.reset()
    return showNotice({ title: "Your recording is here", text: `\`${file.name}\` has been kept.`, tone: "good" })
  }
  const message = { TOO_LARGE: "This file is too large.", UNSUPPORTED_MEDIA_TYPE: "This is neither sound nor film." }[result.code]
  if (message) return void showIssues(recordingForm, [{ path: "file", message }])
  refused(result, () => recordingForm.requestSubmit())
}

function leave() {
  stopLooking()
  endSession()
  location.reload()
}
