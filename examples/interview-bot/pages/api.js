// @ts-check
// The typed client of the bot, as the server itself hands it to pages.
import { createClient } from "/rpc/client.js"

/** @import { Remote } from "trestle/client" */
/** @import { InterviewBot } from "../app.ts" */
/** @typedef {Remote<InterviewBot["ops"]>} Api */

/**
 * Calls for somebody who holds a token or a key; without one, for anybody.
 * @param {string} [credential]
 * @returns {Api}
 */
export function apiFor(credential) {
  return createClient(credential === undefined ? { url: "" } : { url: "", token: () => credential })
}
