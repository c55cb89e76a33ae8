/** Browser code: the form that calls an operation. A credential lives in this tab's session storage and nowhere else. */
export const TRY = String.raw`
const drafts = new Map()
const session = {
  get: (key) => { try { return sessionStorage.getItem(key) || "" } catch { return "" } },
  set: (key, value) => { try { value ? sessionStorage.setItem(key, value) : sessionStorage.removeItem(key) } catch { /* the field itself still holds it */ } },
}
const schemesOf = () => entries(own(doc, "components", "securitySchemes")).filter(([, scheme]) => isObject(scheme))

/* Header name and value prefix of a scheme; null for one that a page cannot send by hand. */
const carrierOf = (scheme) => {
  if (scheme.type === "apiKey") return scheme.in === "header" ? { header: text(scheme.name), prefix: "" } : scheme.in === "query" ? { query: text(scheme.name) } : null
  if (scheme.type === "http" && text(scheme.scheme).toLowerCase() === "basic") return { header: "Authorization", prefix: "Basic ", encode: (value) => btoa(unescape(encodeURIComponent(value))) }
  return ["http", "oauth2", "openIdConnect"].includes(scheme.type) ? { header: "Authorization", prefix: "Bearer " } : null
}

const baseUrl = () => {
  const at = new URL(openapiUrl, location.href)
  const given = own(list(doc.servers)[0], "url")
  return (typeof given === "string" ? new URL(given, at) : new URL(".", at)).href.replace(/\/$/, "")
}

/* Spreads one input over path, query and body, the way the server puts it together again. */
const requestFor = (item, input, headers) => {
  const rest = isObject(input) ? { ...input } : input
  const path = item.path.replace(/\{([^{}]+)\}/g, (_all, name) => {
    const value = own(rest, name)
    if (value === undefined || value === null || value === "") throw new Error('"' + name + '" is part of the address and must be given')
    delete rest[name]
    return encodeURIComponent(text(value))
  })
  if (item.body) return { path, headers, body: rest === undefined ? undefined : JSON.stringify(rest) }
  const query = new URLSearchParams()
  for (const [name, value] of entries(rest)) for (const one of Array.isArray(value) ? value : [value]) if (one !== null) query.append(name, text(one))
  const tail = query.toString()
  return { path: tail ? path + "?" + tail : path, headers, body: undefined }
}

const withQuery = (url, name, value) => url + (url.includes("?") ? "&" : "?") + new URLSearchParams({ [name]: value })

/* Something that is taken, to be replaced by the file's own type. */
const ONE_OF = { audio: "mpeg", image: "png", text: "plain", video: "mp4" }
const oneTypeOf = (types) => {
  const [kind] = types[0].split("/")
  return types.find((type) => !type.includes("*")) || (Object.hasOwn(ONE_OF, kind) ? kind + "/" + ONE_OF[kind] : "application/octet-stream")
}

/* The credential is a shell variable: a command line ends up in histories and tickets. */
const curlOf = (item, request, carrier) => {
  const quote = (value) => "'" + value.replaceAll("'", "'\\''") + "'"
  const url = baseUrl() + request.path
  const inQuery = carrier && carrier.query
  const parts = ["curl -i -X " + item.verb + " " + (inQuery ? quote(withQuery(url, carrier.query, "")) + '"$CREDENTIAL"' : quote(url))]
  if (carrier && carrier.header) parts.push((carrier.encode ? "-u " : "-H " + quote(carrier.header + ": " + carrier.prefix)) + '"$CREDENTIAL"')
  for (const [name, value] of entries(request.headers)) parts.push("-H " + quote(name + ": " + value))
  if (item.upload.length) parts.push("-H " + quote("content-type: " + oneTypeOf(item.upload)), "--data-binary @file")
  else if (request.body !== undefined) parts.push("-H 'content-type: application/json'", "--data-raw " + quote(request.body))
  return parts.join(" \\\n  ")
}

const credentialFields = (item) => {
  const schemes = item.isPublic ? [] : schemesOf().filter(([, scheme]) => carrierOf(scheme))
  if (!schemes.length) return { node: null, current: () => null }
  const pick = el("select", { "aria-label": "Kind of credential" }, schemes.map(([name]) => el("option", { value: name }, name)))
  const kept = session.get("trestle-scheme")
  if (schemes.some(([name]) => name === kept)) pick.value = kept
  const field = el("input", { type: "password", id: "credential", autocomplete: "off", spellcheck: "false" })
  const load = () => {
    const scheme = new Map(schemes).get(pick.value)
    field.value = session.get("trestle-credential:" + pick.value)
    const carrier = carrierOf(scheme)
    field.placeholder = carrier.encode ? "user:password" : carrier.header === "Authorization" ? "token" : carrier.header || carrier.query
  }
  pick.addEventListener("change", () => { session.set("trestle-scheme", pick.value); load() })
  field.addEventListener("input", () => session.set("trestle-credential:" + pick.value, field.value))
  load()
  const node = [el("label", { for: "credential" }, "Credential, kept in this tab only"), el("div", "pair", schemes.length > 1 ? pick : null, field)]
  return { node, current: () => ({ ...carrierOf(new Map(schemes).get(pick.value)), value: field.value }) }
}

/* One intent, so new for each try; where no secure context offers a UUID, as good a name. */
const newKey = () => '"' + [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("") + '"'

/* A field for each header field that the operation takes. Only a key is filled in: the others are wishes of the reader's own. */
const headerFields = (item) => {
  const fields = item.headers.map((one, index) => ({ name: text(one.name), isKey: text(one.name).toLowerCase() === "idempotency-key",
    input: el("input", { id: "header" + index, class: "mono", autocomplete: "off", spellcheck: "false", placeholder: text(one.example) }) }))
  const renew = () => { for (const { isKey, input } of fields) if (isKey && !input.isOwn) input.value = newKey() }
  for (const { input } of fields) input.addEventListener("input", () => { input.isOwn = input.value !== "" })
  renew()
  return {
    node: fields.map(({ name, input }) => [el("label", { for: input.id }, name), input]), renew,
    current: () => Object.fromEntries(fields.filter(({ input }) => input.value.trim()).map(({ name, input }) => [name, input.value.trim()])),
  }
}

const send = async (item, request, carrier, signal) => {
  const headers = { accept: "application/json, application/problem+json", ...request.headers }
  let url = baseUrl() + request.path
  if (request.body !== undefined) headers["content-type"] = request.body instanceof File ? request.body.type || "application/octet-stream" : "application/json"
  if (carrier && carrier.value && carrier.header) headers[carrier.header] = carrier.prefix + (carrier.encode ? carrier.encode(carrier.value) : carrier.value)
  if (carrier && carrier.value && carrier.query) url = withQuery(url, carrier.query, carrier.value)
  const began = performance.now()
  const response = await fetch(url, { method: item.verb, headers, body: request.body, signal, cache: "no-store" })
  /* A file is for the disk; looking at the head of its answer is enough. */
  const isFile = /^attachment/.test(response.headers.get("content-disposition") ?? "")
  if (isFile) response.body?.cancel()
  const body = isFile ? "A file: " + response.headers.get("content-type") + ", " + (response.headers.get("content-length") ?? "?") + " bytes." : await response.text()
  return { response, body, ms: performance.now() - began }
}

const headerText = (value) => {
  try { return entries(JSON.parse(value)).map(([key, one]) => key + " " + text(one)).join(" · ") || value } catch { return value }
}
const resultOf = ({ response, body, ms }) => {
  const { status } = response
  const shown = ["Trestle-Meta", "X-Request-Id", "Retry-After", "Location", "ETag", "Idempotent-Replayed"].filter((name) => response.headers.has(name))
  let value = body
  try { value = JSON.parse(body) } catch { /* shown as it came */ }
  return [
    el("div", "status", el("b", status < 300 ? "ok" : status < 500 ? "hm" : "bad", status + " " + response.statusText), el("span", "soft", ms.toFixed(ms < 10 ? 1 : 0) + " ms")),
    shown.length ? el("dl", null, shown.map((name) => [el("dt", null, name), el("dd", null, headerText(response.headers.get(name)))])) : null,
    body === "" ? el("p", "hint", "No content.") : typeof value === "string" ? el("pre", { tabindex: "0" }, body) : jsonBlock(value),
  ]
}

const tryForm = (item) => {
  const credential = credentialFields(item)
  const headers = headerFields(item)
  const editor = el("textarea", { id: "input", spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-describedby": "line" })
  const line = el("p", { class: "line", id: "line", "aria-live": "polite" })
  const result = el("div", { class: "result", role: "status" })
  const go = el("button", { class: "main", type: "submit" }, "Send")
  const curl = el("button", { type: "button" }, "Copy as curl")
  const reset = el("button", { class: "bare", type: "button" }, "Reset")
  const picked = item.upload.length ? el("input", { type: "file", id: "file", accept: item.upload.join(",") }) : null
  let running = null
  const read = () => requestFor(item, item.hasInput ? JSON.parse(editor.value) : undefined, headers.current())
  const grow = () => { editor.rows = Math.min(18, Math.max(4, editor.value.split("\n").length + 1)) }
  const update = () => {
    let request = null
    try {
      request = read()
      line.textContent = item.verb + " " + request.path
    } catch (error) {
      line.textContent = error instanceof SyntaxError ? "Not valid JSON yet: " + error.message : error.message
    }
    line.classList.toggle("bad", !request)
    editor.setAttribute("aria-invalid", String(!request))
    return request
  }
  const fill = (value) => { editor.value = value; grow(); update() }
  const run = async () => {
    if (running) return running.abort()
    const request = update()
    if (!request) return editor.focus()
    if (picked && picked.files[0]) request.body = picked.files[0]
    running = new AbortController()
    go.textContent = "Stop"
    try {
      result.replaceChildren(...resultOf(await send(item, request, credential.current(), running.signal)).filter(Boolean))
      /* Without an answer the key stays: the same intent, tried again. */
      headers.renew()
    } catch (error) {
      const said = error.name === "AbortError" ? "Stopped. What had reached the server may have happened." : "No answer: " + error.message
      result.replaceChildren(el("p", "bad", said))
    }
    running = null
    go.textContent = "Send"
  }
  curl.addEventListener("click", () => { const request = update(); if (request) { copy(curlOf(item, request, credential.current()), curl); headers.renew() } })
  reset.addEventListener("click", () => { drafts.delete(item.id); fill(pretty(item.start)) })
  editor.addEventListener("input", () => { drafts.set(item.id, editor.value); update() })
  const form = el("form", { class: "try", on: { submit: (event) => { event.preventDefault(); run() }, keydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run() } } } },
    el("h2", null, "Try it"), credential.node,
    item.hasInput ? [el("label", { for: "input" }, "Input, as JSON"), editor] : el("p", "hint", "Takes no input."), picked ? [el("label", { for: "file" }, "File"), picked] : null, headers.node, line,
    el("div", "acts", go, curl, item.hasInput ? reset : null),
    el("p", "hint", item.isPlaceholder ? "A placeholder answers; nothing behind it is called." : item.effect === "write" ? "This is a real call and may change something." : "This is a real call; it changes nothing."), result)
  fill(drafts.get(item.id) ?? pretty(item.start))
  return form
}
`
