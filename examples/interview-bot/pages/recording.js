// @ts-check
// Recordings pass as bytes, by their own address: the typed client is for JSON.

/** @import { Failure } from "trestle/client" */

/**
 * @param {{ id: string, token: string }} session
 * @param {File} file
 */
export function upload({ id, token }, file) {
  return sent(id, token, { method: "POST", body: file, headers: { "content-type": file.type || "application/octet-stream" } })
}

/**
 * Whether there is certainly none: where nobody can tell, whoever asks for it hears why.
 * @param {string} id
 * @param {string} key
 */
export async function isMissing(id, key) {
  const result = await fetch(addressOf(id), { method: "HEAD", headers: { authorization: `Bearer ${key}` } }).catch(() => null)
  return result?.status === 404
}

/**
 * Fetches the recording and hands it to the browser to be kept, under the name that it was given.
 * @param {string} id
 * @param {string} key
 */
export async function download(id, key) {
  const result = await sent(id, key, {})
  if (!result.ok) return result
  const link = document.createElement("a")
  link.href = URL.createObjectURL(await result.reply.blob())
  link.download = `recording-${id}`
  link.click()
  URL.revokeObjectURL(link.href)
  return result
}

/**
 * @param {string} id
 * @param {string} credential
 * @param {{ method?: string, body?: File, headers?: Record<string, string> }} request
 * @returns {Promise<{ ok: true, reply: Response } | Failure<string>>}
 */
async function sent(id, credential, { headers = {}, ...request }) {
  try {
    const reply = await fetch(addressOf(id), { ...request, headers: { ...headers, authorization: `Bearer ${credential}` } })
    if (reply.ok) return { ok: true, reply }
    return { ok: false, ...(await reply.json()) }
  } catch {
    return { ok: false, code: "UNAVAILABLE", detail: "No answer", issues: [], outcome: "unknown", trace: "" }
  }
}

/** @param {string} id */
function addressOf(id) {
  return `/candidates/${encodeURIComponent(id)}/recording`
}
