// @ts-check
// Runs inside a page of the bot: what a person could not see, reach or hit. Its value is a list of sentences.
;(() => {
  const TEXT_CONTRAST_MIN = 4.5
  const EDGE_CONTRAST_MIN = 3
  const TARGET_PX_MIN = 44

  /** @typedef {[red: number, green: number, blue: number, alpha: number]} Colour */

  const pixel = /** @type {CanvasRenderingContext2D} */ (
    Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true })
  )

  /** Whatever way of writing it, as the browser paints it. @param {string} css @returns {Colour} */
  function colourOf(css) {
    pixel.clearRect(0, 0, 1, 1)
    pixel.fillStyle = css
    pixel.fillRect(0, 0, 1, 1)
    const [red = 0, green = 0, blue = 0, alpha = 0] = pixel.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }

  /** @param {Colour} top @param {Colour} below @returns {Colour} */
  function over([red, green, blue, alpha], below) {
    /** @param {number} one @param {number} other */
    const mix = (one, other) => one * alpha + other * (1 - alpha)
    return [mix(red, below[0]), mix(green, below[1]), mix(blue, below[2]), 1]
  }

  /** @param {Element | null} element @returns {Colour} */
  function backgroundOf(element) {
    if (!element) return colourOf("Canvas")
    const own = colourOf(getComputedStyle(element).backgroundColor)
    return own[3] === 1 ? own : over(own, backgroundOf(element.parentElement))
  }

  /** Relative luminance. Source: WCAG 2.2. @param {Colour} colour */
  function luminance([red, green, blue]) {
    const [r = 0, g = 0, b = 0] = [red, green, blue].map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }

  /** @param {Colour} one @param {Colour} other */
  function contrast(one, other) {
    const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
    return (light + 0.05) / (dark + 0.05)
  }

  /** @param {Element} element */
  function isShown(element) {
    return element.checkVisibility({ visibilityProperty: true }) && !element.closest(".visually-hidden")
  }

  /** @param {Element} element */
  const named = (element) => `${element.tagName.toLowerCase()}#${element.id} "${(element.textContent ?? "").trim().slice(0, 30)}"`

  const shown = [...document.body.querySelectorAll("*")].filter(isShown)

  function hardToRead() {
    const withText = shown.filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()),
    )
    const fields = shown.filter((element) => element.matches("input, textarea"))
    return [...withText, ...fields].flatMap((element) => {
      const background = backgroundOf(element)
      const ratio = contrast(over(colourOf(getComputedStyle(element).color), background), background)
      return ratio < TEXT_CONTRAST_MIN ? [`${named(element)}: contrast ${ratio.toFixed(2)}`] : []
    })
  }

  function hardToSee() {
    const fields = shown.filter((element) => element.matches("textarea, .choice, input:not([type=radio], [type=file])"))
    return fields.flatMap((element) => {
      const ratio = contrast(colourOf(getComputedStyle(element).borderTopColor), backgroundOf(element.parentElement))
      return ratio < EDGE_CONTRAST_MIN ? [`${named(element)}: edge with contrast ${ratio.toFixed(2)}`] : []
    })
  }

  function hardToHit() {
    const controls = shown.filter((element) => element.matches("a[href], button, input, textarea"))
    return controls.flatMap((element) => {
      const { width, height } = (element.closest("label") ?? element).getBoundingClientRect()
      return width < TARGET_PX_MIN || height < TARGET_PX_MIN ? [`${named(element)}: a target of ${width} by ${height} px`] : []
    })
  }

  function sideways() {
    const { scrollWidth, clientWidth } = document.documentElement
    const wide = shown.filter((element) => element.getBoundingClientRect().right > clientWidth + 1).map(named)
    return scrollWidth > clientWidth ? [`sideways: ${scrollWidth} px in ${clientWidth} px: ${wide.join(", ")}`] : []
  }

  function headings() {
    const levels = shown.filter((element) => element.matches("h1, h2, h3")).map(({ tagName }) => tagName)
    const ones = levels.filter((level) => level === "H1").length
    return ones === 1 ? [] : [`${ones} headings of the first level`]
  }

  return [...hardToRead(), ...hardToSee(), ...hardToHit(), ...sideways(), ...headings()]
})()
