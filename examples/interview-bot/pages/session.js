// @ts-check
// What this tab remembers, until it is closed: who is interviewed, and what is not sent yet.

/** @typedef {{ id: string, token: string, name: string, level: "junior" | "senior" }} Session */

/** A registration that is still under way: where it is followed, and who it is for. @typedef {{ work: string, name: string, level: Session["level"], email: string }} Pending */

const SESSION = "interview"
const PENDING = "pending"
const DRAFT = "draft:"

/** @returns {Session | null} */
export function readSession() {
  return JSON.parse(sessionStorage.getItem(SESSION) ?? "null")
}

/** @param {Session} session */
export function keepSession(session) {
  sessionStorage.setItem(SESSION, JSON.stringify(session))
}

/** @returns {Pending | null} */
export function readPending() {
  return JSON.parse(sessionStorage.getItem(PENDING) ?? "null")
}

/** @param {Pending} pending */
export function keepPending(pending) {
  sessionStorage.setItem(PENDING, JSON.stringify(pending))
}

export function dropPending() {
  sessionStorage.removeItem(PENDING)
}

/** The pass is no longer good; what was written stays. */
export function dropSession() {
  sessionStorage.removeItem(SESSION)
}

/** Forgets everything, drafts too. */
export function endSession() {
  sessionStorage.clear()
}

/** @param {string} questionId */
export function readDraft(questionId) {
  return sessionStorage.getItem(DRAFT + questionId) ?? ""
}

/**
 * @param {string} questionId
 * @param {string} text
 */
export function keepDraft(questionId, text) {
  if (text === "") sessionStorage.removeItem(DRAFT + questionId)
  else sessionStorage.setItem(DRAFT + questionId, text)
}
