// @ts-check

/**
 * The element with that id.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new TypeError(`#${id} is no ${kind.name}`)
}

/**
 * The first element inside `root` that fits.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function within(root, selector) {
  const found = root.querySelector(selector)
  if (found instanceof HTMLElement) return found
  throw new TypeError(`nothing fits ${selector}`)
}

/**
 * A copy of what is in a template.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function copyOf(id) {
  const first = byId(id, HTMLTemplateElement).content.firstElementChild?.cloneNode(true)
  if (first instanceof HTMLElement) return first
  throw new TypeError(`the template ${id} is empty`)
}

/**
 * Shows one view and hides the others; whoever listens or types goes on at its heading.
 * @param {string} view
 */
export function show(view) {
  for (const section of document.querySelectorAll("main > section:not(#notice)"))
    if (section instanceof HTMLElement) section.hidden = section.id !== view
  const heading = within(byId(view, HTMLElement), "h1")
  document.title = `${heading.textContent} · Interview`
  heading.focus({ preventScroll: true })
  scrollTo(0, 0)
}

/**
 * Says something to those who listen rather than look.
 * @param {string} text
 */
export function say(text) {
  byId("status", HTMLElement).textContent = text
}

/**
 * Text with `code` in it. Text stays text, whatever it holds.
 * @param {HTMLElement} target
 * @param {string} text
 */
export function setText(target, text) {
  const parts = text.split("`").map((part, i) => {
    if (i % 2 === 0) return part
    const code = document.createElement("code")
    code.textContent = part
    return code
  })
  target.replaceChildren(...parts)
}
