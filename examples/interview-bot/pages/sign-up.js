// @ts-check
import { apiFor } from "./api.js"
import { byId } from "./dom.js"
import { clearIssues, onSubmit, showIssues } from "./form.js"
import { hideNotice, showFailure } from "./notice.js"

/** @import { Session } from "./session.js" */

const form = byId("sign-up", HTMLFormElement)

/**
 * Calls `begin` for whoever has signed up.
 * @param {(session: Session, isByReplica: boolean) => Promise<void>} begin
 */
export function onSignUp(begin) {
  onSubmit(form, async (values) => {
    clearIssues(form)
    hideNotice()
    // What is missing or wrong is for the contract to say, at the field.
    const level = /** @type {Session["level"]} */ (values.get("level") ?? "")
    const candidate = { name: String(values.get("name")), email: String(values.get("email")), level }
    const result = await apiFor().candidates.register.safe(candidate)
    if (result.ok) return begin({ ...result.value, name: candidate.name.trim(), level }, result.meta.degraded !== false)
    if (result.code === "EMAIL_TAKEN") return void showIssues(form, [{ path: "email", message: "This address is registered already." }])
    const elsewhere = showIssues(form, result.issues)
    if (result.code === "INVALID" && elsewhere.length === 0) return
    // The people service knows no idempotency key: a second try could register twice, so it is offered only when nothing can have happened.
    showFailure(result, { retry: () => form.requestSubmit(), isSafeAgain: false, hasWritten: true })
  })
}
