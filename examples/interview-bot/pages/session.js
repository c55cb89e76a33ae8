// @ts-check
// What this tab remembers, until it is closed: who is interviewed, and what is not sent yet.

/** @typedef {{ id: string, token: string, name: string, level: "junior" | "senior" }} Session */

const SESSION = "interview"
const DRAFT = "draft:"

/** @returns {Session | null} */
export function readSession() {
  return JSON.parse(sessionStorage.getItem(SESSION) ?? "null")
}

/** @param {Session} session */
export function keepSession(session) {
  sessionStorage.setItem(SESSION, JSON.stringify(session))
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
