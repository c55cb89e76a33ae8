// @ts-check
import { apiFor } from "./api.js"
import { byId, within } from "./dom.js"
import { clearIssues, onSubmit, showIssues } from "./form.js"
import { hideNotice, showFailure } from "./notice.js"

/** @import { ClientFailure } from "trestle/client" */
/** @import { Pending, Session } from "./session.js" */

const form = byId("sign-up", HTMLFormElement)

/**
 * Calls `begin` for whoever has signed up, and `wait` for those whose record is made later.
 * @param {{ begin: (session: Session, isByReplica: boolean) => Promise<void>, wait: (pending: Pending) => void }} then
 */
export function onSignUp({ begin, wait }) {
  onSubmit(form, async (values) => {
    clearIssues(form)
    hideNotice()
    // What is missing or wrong is for the contract to say, at the field.
    const level = /** @type {Session["level"]} */ (values.get("level") ?? "")
    const candidate = { name: String(values.get("name")), email: String(values.get("email")), level }
    const result = await apiFor().candidates.register.safe(candidate)
    const name = candidate.name.trim()
    if (result.ok) return begin({ ...result.value, name, level }, result.meta.degraded !== false)
    if (result.work !== undefined) return wait({ ...candidate, name, work: result.work })
    if (refuseSignUp(result)) return
    const elsewhere = showIssues(form, result.issues)
    if (result.code === "INVALID" && elsewhere.length === 0) return
    // Of a request that has left nobody knows whether it has arrived: a second try is offered only when nothing can have happened.
    showFailure(result, { retry: () => form.requestSubmit(), isSafeAgain: false, hasWritten: true })
  })
}

/**
 * Says at the field why there is no registration.
 * @param {Pick<ClientFailure, "code">} failure
 * @returns {boolean} whether it is about a field
 */
export function refuseSignUp({ code }) {
  if (code !== "EMAIL_TAKEN") return false
  showIssues(form, [{ path: "email", message: "This address is registered already." }])
  return true
}

/** @param {Pending} pending */
export function fillSignUp({ name, email, level }) {
  byId("name", HTMLInputElement).value = name
  byId("email", HTMLInputElement).value = email
  const choice = within(form, `[name="level"][value="${level}"]`)
  if (choice instanceof HTMLInputElement) choice.checked = true
}
