/** Browser code: loads the document, lists its operations, shows one of them, searches, listens to keys. */
export const MAIN = String.raw`
const VERBS = ["get", "post", "put", "patch", "delete"]
let items = []

const itemOf = (path, verb, operation) => {
  const note = isObject(operation["x-trestle"]) ? operation["x-trestle"] : {}
  const parameters = list(operation.parameters).map((one) => follow(one).value)
  const content = own(follow(operation.requestBody).value, "content", "application/json")
  const upload = content ? [] : entries(own(follow(operation.requestBody).value, "content")).map(([type]) => type).filter((type) => type !== "multipart/form-data")
  const security = operation.security ?? doc.security
  const inputs = parameters.filter((one) => one.in === "path" || one.in === "query")
  const id = text(operation.operationId || verb + " " + path)
  const item = {
    id, path, operation, parameters, inputs, headers: parameters.filter((one) => one.in === "header"), body: content || null, upload, verb: verb.toUpperCase(), summary: text(operation.summary), tag: text(list(operation.tags)[0] ?? "operations"),
    why: text(note.why), effect: text(note.effect), repeat: text(note.repeat), isPlaceholder: note.state === "placeholder", hasState: "state" in note,
    ends: operation.deprecated && text(operation.description), isPublic: Array.isArray(security) && security.length === 0, mayBeAnyone: list(security).some((one) => !entries(one).length),
    isOperation: !!operation.operationId, hasInput: inputs.length > 0 || !!content,
  }
  item.words = [id, item.verb, path, item.summary, item.why, item.tag].join(" ").toLowerCase()
  item.start = startOf(item)
  return item
}
/* The declared example where there is one, else something that fits the schema. */
const startOf = ({ inputs, body }) => {
  const given = body && entries(body.examples)[0]
  const fromBody = body ? given ? own(given[1], "value") : sampleOf(body.schema) : undefined
  if (body && !isObject(fromBody)) return fromBody
  const hasExample = inputs.some((one) => "example" in one)
  const kept = inputs.filter((one) => one.required || "example" in one || (!hasExample && own(one.schema, "default") !== undefined))
  return { ...Object.fromEntries(kept.map((one) => [text(one.name), "example" in one ? one.example : sampleOf(one.schema)])), ...fromBody }
}

const verbMark = (item) => el("span", "verb " + item.verb.toLowerCase(), item.verb === "DELETE" ? "DEL" : item.verb)
const dot = (item) => item.hasState ? el("span", { class: item.isPlaceholder ? "dot placeholder" : "dot", role: "img", title: item.isPlaceholder ? "placeholder" : "real" }) : null
const hrefOf = (item) => "#" + encodeURIComponent(item.id)
const groups = () => {
  const byTag = new Map()
  for (const item of items) byTag.set(item.tag, [...(byTag.get(item.tag) || []), item])
  return [...byTag]
}
const linked = (item, ...kids) => { const link = el("a", { href: hrefOf(item) }, kids); link.item = item; return link }
const shortName = (item) => !item.isOperation ? item.path : item.id.startsWith(item.tag + ".") ? item.id.slice(item.tag.length + 1) : item.id

const sidebar = () => groups().map(([tag, members]) => el("div", "group", el("h2", null, tag),
  members.map((item) => linked(item, verbMark(item), el("span", "name", shortName(item)), dot(item)))))

const overview = () => {
  const count = items.filter((item) => item.isOperation).length
  const waiting = items.filter((item) => item.isPlaceholder).length
  const real = count - waiting
  const piece = (share, kind) => { const part = el("i", kind); part.style.flexGrow = String(share); return share ? part : null }
  return el("div", null,
    el("h1", { tabindex: "-1" }, own(doc, "info", "title")), el("p", "lead", own(doc, "info", "description") || "Every operation this application offers over HTTP: what goes in, what comes out, who may call it, how it can fail."),
    items.some((item) => item.hasState) ? [
      el("div", "tally", el("span", null, count + (count === 1 ? " operation" : " operations")), el("span", null, el("i", "dot"), real + " real"), el("span", null, el("i", "dot placeholder"), waiting + " placeholder")),
      el("div", { class: "bar", "aria-hidden": "true" }, piece(real, "real"), piece(waiting, "placeholder"))] : null,
    groups().map(([tag, members]) => el("div", "group", el("h2", null, tag), el("div", "rows", members.map((item) =>
      linked(item, verbMark(item), el("span", "path", item.ends ? el("s", null, item.path) : item.path), el("span", "soft sum", item.summary ? prose(item.summary) : item.id), el("span", "state", el("b", item.isPublic ? "open" : "", item.isPublic ? "public" : item.mayBeAnyone ? "" : "credential"), dot(item))))))),
    el("p", { class: "lead none", hidden: true }))
}

const chips = (item) => {
  const names = schemesOf().map(([name]) => name)
  const chip = (kind, label) => el("span", "chip " + kind, label)
  return el("div", "chips",
    item.ends ? chip("placeholder", "deprecated") : null,
    item.hasState ? chip(item.isPlaceholder ? "placeholder" : "real", item.isPlaceholder ? "placeholder" : "real") : null,
    chip(item.isPublic ? "open" : "", item.isPublic ? "public" : (item.mayBeAnyone ? "with or without a credential" : "needs a credential") + (names.length ? ": " + names.join(" or ") : "")),
    item.effect === "write" ? chip("write", "may change something") : item.effect === "read" ? chip("", "read only") : null,
    item.repeat === "natural" ? chip("", "safe to repeat") : item.repeat === "key" ? chip("", "safe to repeat with a key") : item.repeat === "none" ? chip("", "do not repeat blindly") : null)
}

const inputSection = (item) => {
  const at = (place) => item.parameters.filter((one) => one.in === place).map((one) => ({ ...one, schema: { ...one.schema, ...(one.description ? { description: one.description } : {}) } }))
  const parts = ["path", "query", "header"].map((place) => ({ label: "In the " + place, fields: at(place) })).filter((part) => part.fields.length)
  if (item.upload.length) parts.push({ label: "As the body", fields: [{ name: "file", required: true, schema: { type: "file", enum: item.upload.filter((type) => !type.startsWith("*")) } }] })
  if (item.body) parts.push({ label: "In the body", name: "body", schema: item.body.schema })
  return el("section", null, el("h2", null, "Input", parts.length === 1 ? el("small", null, parts[0].label.toLowerCase()) : null), parts.length ? fieldTable(parts) : el("p", "soft", "Nothing."))
}
const isSuccess = ([status]) => status.startsWith("2")
const PROBLEM = "application/problem+json"
const codesOf = (response) => list(own(response, "content", PROBLEM, "schema", "allOf")).flatMap((part) => {
  const code = own(part, "properties", "code")
  return [...list(own(code, "enum")), own(code, "const")].filter(Boolean)
})
/* As JSON where it comes so; else what comes first, by its type. */
const contentOf = (response) => {
  const kinds = entries(own(response, "content")).filter(([type]) => type !== PROBLEM)
  const [type, content] = kinds.find(([type]) => type === "application/json") ?? kinds[0] ?? []
  return { type: kinds.map(([type]) => type).join(" or "), name: type === "application/json" ? "answer" : "body", content }
}
const outputSection = ([status, response]) => {
  const { type, name, content } = contentOf(response)
  const codes = codesOf(response)
  const example = content && own(entries(content.examples)[0]?.[1], "value")
  const fields = entries(own(response, "headers")).map(([name, one]) => ({ name, required: null, schema: { ...own(one, "schema"), description: own(one, "description") } }))
  const parts = [content && { label: "In the body", name, schema: own(content, "schema") }, fields.length && { label: "In the header", fields }].filter(Boolean)
  return el("section", null, el("h2", null, "Output", el("small", null, status + ", ", prose(own(response, "description")))),
    codes.length ? el("p", "hint", "Problem details (RFC 9457) with the code ", codes.map((code) => el("code", null, code)), content ? ", or what follows." : ".") : null,
    type && type !== "application/json" ? el("p", "hint", "Sent as ", el("code", null, type), ".") : null,
    parts.length ? fieldTable(parts, true) : null,
    example === undefined ? null : [el("h3", null, "Example"), jsonBlock(example)])
}
const errorRow = ([status, response]) => {
  const { value } = follow(response)
  const codes = codesOf(value)
  return el("tr", null, el("td", "mono", status), el("td", null, codes.map((code) => el("div", "mono", code))), el("td", "soft", prose(value.description)))
}
const errorSection = (responses) => {
  const table = (some) => el("table", "errors", el("tbody", null, some.map(errorRow)))
  const failures = responses.filter((one) => !isSuccess(one))
  const common = failures.filter(([, response]) => own(response, "$ref"))
  const declared = failures.filter((one) => !common.includes(one))
  return el("section", null, el("h2", null, "Errors", el("small", null, "problem details, RFC 9457")), declared.length ? table(declared) : null,
    common.length ? el("details", null, el("summary", null, (declared.length ? "And the common ones: " : "The common ones: ") + common.map(([status]) => status).join(", ")), table(common)) : null)
}

const pathTitle = (path) => path.split(/(\{[^{}]*\})/).map((part) => part.startsWith("{") ? el("em", null, part) : part)
const detail = (item) => {
  const responses = entries(item.operation.responses)
  return el("div", "detail",
    el("div", "head", el("a", { href: "#", class: "back link" }, "← All operations"), item.isOperation ? el("p", "eyebrow", item.id) : null,
      el("div", "title", el("span", "verb " + item.verb.toLowerCase(), item.verb), el("h1", { tabindex: "-1" }, pathTitle(item.path))),
      item.summary ? el("p", "lead", prose(item.summary)) : null, chips(item),
      item.ends ? el("p", "note", prose(item.ends)) : null,
      item.isPlaceholder ? el("p", "note", el("b", null, "Placeholder"), item.why ? [": ", prose(item.why)] : "", ". The contract holds; the answers are made up.") : null),
    el("div", "parts", inputSection(item), responses.filter(isSuccess).map(outputSection), errorSection(responses)), tryForm(item))
}

const show = (isFirst) => {
  let id = ""
  try { id = decodeURIComponent(location.hash.slice(1)) } catch { /* not ours: the overview */ }
  const item = items.find((one) => one.id === id)
  byId("main").replaceChildren(item ? detail(item) : overview())
  document.title = (item ? item.id + " · " : "") + text(own(doc, "info", "title"))
  for (const link of byId("nav").querySelectorAll("a")) link.item === item ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")
  filter()
  if (isFirst !== true) { scrollTo(0, 0); byId("main").querySelector("h1").focus({ preventScroll: true }) }
}

const filter = () => {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean)
  let found = 0
  for (const link of document.querySelectorAll("nav a, .rows a")) {
    link.hidden = !words.every((word) => link.item.words.includes(word))
    if (!link.hidden) found++
  }
  for (const group of document.querySelectorAll(".group")) group.hidden = !group.querySelector("a:not([hidden])")
  const none = document.querySelector(".none")
  if (none) { none.hidden = found > 0; none.textContent = "Nothing matches “" + byId("find").value + "”." }
}

const move = (step) => {
  const links = [...document.querySelectorAll("nav a, .rows a")].filter((link) => !link.hidden && link.offsetParent)
  const within = links.filter((link) => link.closest("nav")).length ? links.filter((link) => link.closest("nav")) : links
  const now = within.findIndex((link) => link === document.activeElement)
  const from = now < 0 ? within.findIndex((link) => link.hasAttribute("aria-current")) : now
  within[Math.min(within.length - 1, Math.max(0, from + step))]?.focus()
}
const onKey = (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)
  const isFind = event.target === byId("find")
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === "Escape") { if (isFind) { byId("find").value = ""; filter() } event.target.blur(); return }
  if (isFind && event.key === "Enter") { location.hash = [...document.querySelectorAll("nav a, .rows a")].find((link) => !link.hidden)?.hash || ""; return }
  const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key]
  const isInList = isFind ? event.key.startsWith("Arrow") : !isTyping && (event.key.length === 1 || event.target.item)
  if (step && isInList) { event.preventDefault(); move(step) }
  if (event.key === "/" && !isTyping) { event.preventDefault(); byId("find").focus() }
}

const themes = ["auto", "light", "dark"]
const setTheme = (theme) => {
  document.documentElement.dataset.theme = theme
  byId("theme").textContent = { auto: "◐", light: "☀", dark: "☾" }[theme]
  byId("theme").setAttribute("aria-label", "Theme: " + theme)
  byId("theme").title = "Theme: " + theme
  try { localStorage.setItem("trestle-theme", theme) } catch { /* then it is forgotten */ }
}
const start = async () => {
  let theme = "auto"
  try { theme = localStorage.getItem("trestle-theme") } catch { /* then the system's */ }
  setTheme(themes.includes(theme) ? theme : "auto")
  byId("theme").addEventListener("click", () => setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % 3]))
  try {
    const response = await fetch(openapiUrl, { headers: { accept: "application/json" } })
    if (!response.ok) throw new Error("the server answered " + response.status)
    doc = await response.json()
    if (!isObject(doc)) throw new Error("it is not an object")
  } catch (error) {
    byId("main").replaceChildren(el("h1", null, "The description could not be read"), el("p", "lead", openapiUrl + ": " + error.message), el("p", "acts", el("button", { on: { click: () => location.reload() } }, "Try again")))
    return
  }
  items = entries(doc.paths).flatMap(([path, verbs]) => VERBS.filter((verb) => isObject(own(verbs, verb))).map((verb) => itemOf(path, verb, verbs[verb])))
  byId("version").textContent = text(own(doc, "info", "version"))
  byId("nav").replaceChildren(...sidebar(), el("p", "keys", el("kbd", null, "/"), " search  ", el("kbd", null, "j"), " ", el("kbd", null, "k"), " move  ", el("kbd", null, "ctrl ⏎"), " send"))
  byId("find").addEventListener("input", () => { filter() })
  addEventListener("hashchange", show)
  addEventListener("keydown", onKey)
  show(true)
}
start()
`
