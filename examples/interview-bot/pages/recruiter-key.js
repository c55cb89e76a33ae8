// @ts-check
// The recruiter's key, which this tab remembers until it is closed.
import { apiFor } from "./api.js"

const KEY = "recruiter-key"

export function readKey() {
  return sessionStorage.getItem(KEY)
}

/** @param {string} key */
export function keepKey(key) {
  sessionStorage.setItem(KEY, key)
}

export function forgetKey() {
  sessionStorage.removeItem(KEY)
}

/** Calls with the key. */
export function api() {
  return apiFor(readKey() ?? "")
}
