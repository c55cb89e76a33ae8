/** A shorter secret would turn half of a log into stars, and is no secret. */
export const SECRET_LENGTH_MIN = 6

/** Lines of a key file that are worth masking alone; its `-----BEGIN` lines are no secret. */
const LINE_LENGTH_MIN = 16

/**
 * Every way in which a secret may stand in a text: as it is, trimmed, as base64 (alone or inside a longer text, as in
 * `Basic base64(user:password)`), hexadecimal, URL, form and JSON encoded. Of a URL with credentials also its password; of several
 * lines also each line. Forms shorter than `SECRET_LENGTH_MIN` are left out.
 */
export function secretForms(secret: string): string[] {
  const forms = new Set<string>()
  for (const part of [secret, secret.trim(), ...passwordOf(secret), ...longLines(secret)]) {
    if (part.length < SECRET_LENGTH_MIN) continue
    for (const form of encodedForms(part)) if (form.length >= SECRET_LENGTH_MIN) forms.add(form)
  }
  return [...forms]
}

function encodedForms(secret: string): string[] {
  // encodeURIComponent throws on half of a surrogate pair.
  const text = secret.toWellFormed()
  const urls = [encodeURIComponent(text), encodeURI(text), new URLSearchParams({ s: text }).toString().slice(2), userinfo(text)]
  const lowerCase = urls.map((url) => url.replace(/%[0-9A-F]{2}/g, (sequence) => sequence.toLowerCase()))
  const hex = Buffer.from(text).toString("hex")
  const json = JSON.stringify(secret).slice(1, -1)
  return [secret, ...base64Forms(text), hex, hex.toUpperCase(), ...urls, ...lowerCase, json, json.replaceAll("/", "\\/")]
}

/**
 * Base64 works on groups of three bytes, so the same text has three encodings, by the bytes before it; the digits that also depend on
 * what stands before or after are left out. Source: the `base64` modifier of YARA.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text)
  const forms = [bytes.toString("base64"), bytes.toString("base64").replace(/=+$/, "")]
  for (let before = 0; before < 3; before++) {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64")
    forms.push(digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)))
  }
  return [...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))]
}

/** As the URL parser writes it before the `@`. */
function userinfo(text: string): string {
  const url = new URL("http://host")
  url.password = text
  return url.password
}

function passwordOf(secret: string): string[] {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(secret) ? URL.parse(secret) : null
  if (!url?.password) return []
  try {
    return [url.password, decodeURIComponent(url.password)]
  } catch {
    return [url.password]
  }
}

function longLines(secret: string): string[] {
  const lines = secret.split(/\r?\n/)
  return lines.length === 1
    ? []
    : lines.map((line) => line.trim()).filter((line) => line.length >= LINE_LENGTH_MIN && !line.startsWith("-----"))
}
