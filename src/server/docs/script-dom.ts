/**
 * Browser code: how the page makes elements and follows references. Every text of the document becomes a text node; markup is never
 * built from a string, because the document may hold anything. Tag and attribute names are always written here, never read.
 */
export const DOM = String.raw`
const text = (value) => value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)
/* Attributes, or only a class. */
const el = (tag, props, ...kids) => {
  const node = document.createElement(tag)
  if (typeof props === "string") props = { class: props }
  for (const key in props) {
    const value = props[key]
    if (key === "on") for (const name in value) node.addEventListener(name, value[name])
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value === true ? "" : value)
  }
  for (const kid of kids.flat(9)) if (kid !== null && kid !== undefined && kid !== false) node.append(kid instanceof Node ? kid : text(kid))
  return node
}
const byId = (id) => document.getElementById(id)
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value)
const own = (value, ...keys) => keys.reduce((place, key) => isObject(place) && Object.hasOwn(place, key) ? place[key] : undefined, value)
const list = (value) => Array.isArray(value) ? value : []
const entries = (value) => isObject(value) ? Object.entries(value) : []
/* What the document marks as code, between backticks, is shown as code. */
const prose = (value) => text(value).split(/\x60([^\x60]+)\x60/).map((part, index) => index % 2 ? el("code", null, part) : part)
const pretty = (value) => JSON.stringify(value, null, 2)

/* Follows references inside the document; what stands beside a reference wins over what it leads to. */
const follow = (value) => {
  let name = ""
  for (let step = 0; step < 20 && typeof own(value, "$ref") === "string" && value.$ref.startsWith("#/"); step++) {
    let place = doc
    for (const part of value.$ref.slice(2).split("/")) {
      const key = part.replaceAll("~1", "/").replaceAll("~0", "~")
      place = own(place, key)
      name = key
    }
    const { $ref, ...beside } = value
    value = isObject(place) ? { ...place, ...beside } : beside
  }
  return { value: isObject(value) ? value : {}, name }
}

/* JSON with a little colour, as text nodes in spans; large answers stay plain, so that they appear at once. */
const jsonBlock = (value) => {
  const source = typeof value === "string" ? value : pretty(value) ?? ""
  const block = el("pre", { tabindex: "0" })
  if (source.length > 60000) { block.append(source); return block }
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
  let end = 0
  for (const match of source.matchAll(token)) {
    block.append(source.slice(end, match.index))
    const word = match[1] || match[0]
    block.append(el("span", match[2] ? "k" : match[1] ? "s" : "n", word), match[2] || "")
    end = match.index + match[0].length
  }
  block.append(source.slice(end))
  return block
}

const copy = async (value, button) => {
  let isDone = true
  try {
    await navigator.clipboard.writeText(value)
  } catch {
    /* Without TLS there is no clipboard; a selection still copies. */
    const area = el("textarea", { "aria-hidden": "true" })
    area.value = value
    document.body.append(area)
    area.select()
    isDone = document.execCommand("copy")
    area.remove()
    button.focus()
  }
  const label = button.textContent
  button.textContent = isDone ? "Copied" : "Copying failed"
  setTimeout(() => { button.textContent = label }, 1400)
}
`
