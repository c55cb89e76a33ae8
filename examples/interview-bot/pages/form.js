// @ts-check
import { within } from "./dom.js"

/** @import { Issue } from "trestle/client" */

/**
 * Shows each issue at the field that it is about, and goes to the first; those of no field here are returned.
 * @param {HTMLFormElement} form
 * @param {readonly Issue[]} issues
 * @returns {Issue[]}
 */
export function showIssues(form, issues) {
  clearIssues(form)
  const elsewhere = issues.filter(({ path, message }) => !showIssue(form, path, message))
  const first = form.querySelector('[aria-invalid="true"]')
  if (first instanceof HTMLElement) first.focus()
  return elsewhere
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} message
 * @returns {boolean} whether there is such a field
 */
function showIssue(form, name, message) {
  const controls = form.querySelectorAll(`[name="${CSS.escape(name)}"]`)
  if (controls.length === 0) return false
  for (const control of controls) control.setAttribute("aria-invalid", "true")
  const error = within(form, `#${CSS.escape(name)}-error`)
  error.textContent = message
  error.hidden = false
  return true
}

/** @param {HTMLFormElement} form */
export function clearIssues(form) {
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid")
  for (const error of form.querySelectorAll(".error")) if (error instanceof HTMLElement) error.hidden = true
}

/**
 * Runs `send` for every submission, one at a time. The button stays where it is and can be reached: a disabled one would lose the focus.
 * @param {HTMLFormElement} form
 * @param {(values: FormData) => Promise<void>} send
 */
export function onSubmit(form, send) {
  const button = within(form, 'button[type="submit"]')
  let isBusy = false
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    if (isBusy) return
    isBusy = true
    button.setAttribute("aria-disabled", "true")
    try {
      await send(new FormData(form))
    } finally {
      isBusy = false
      button.removeAttribute("aria-disabled")
    }
  })
}
