// A person at a real browser, for the tests of the pages: what they see, what the browser complains of, and what it asks for.
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { expect } from "vitest"

/** Where there is none, the tests are skipped. */
export const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
)

export const PHONE = { width: 390, height: 844 }
const DESK = { width: 1280, height: 800 }
const LOOKS = [PHONE, DESK].flatMap((viewport) => (["light", "dark"] as const).map((colorScheme) => ({ viewport, colorScheme })))

const CHECKS = readFileSync(new URL("./page-checks.js", import.meta.url), "utf8")
/** For looking at: `SCREENSHOTS=/tmp/shots npx vitest run examples/interview-bot/browser.test.ts`. */
const { SCREENSHOTS } = process.env

export function openBrowser(): Promise<Browser> {
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
  return chromium.launch({ executablePath: executablePath!, args })
}

export class Person {
  readonly page: Page
  readonly context: BrowserContext
  readonly #origin: string
  readonly #complaints: string[] = []
  readonly #strangers: string[] = []

  private constructor(page: Page, origin: string) {
    this.page = page
    this.context = page.context()
    this.#origin = origin
    page.on("pageerror", ({ message }) => this.#complaints.push(message))
    page.on("console", (said) => {
      // A refusal that the page expects; the browser writes it down all the same.
      if (said.type() !== "log" && !/Failed to load resource: (?:the server responded|net::ERR_INTERNET_DISCONNECTED)/.test(said.text()))
        this.#complaints.push(`${said.type()}: ${said.text()}`)
    })
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) this.#strangers.push(request.url())
    })
  }

  /** A browser of their own, that remembers nothing. */
  static async at(browser: Browser, url: string): Promise<Person> {
    const context = await browser.newContext({ viewport: PHONE })
    const person = new Person(await context.newPage(), new URL(url).origin)
    person.page.setDefaultTimeout(10_000)
    await person.page.goto(url)
    return person
  }

  /** Looks at what is there at both widths, in light and in dark: nothing that could not be seen, read, hit or named. */
  async look(what: string): Promise<void> {
    const { page } = this
    for (const { viewport, colorScheme } of LOOKS) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
      // A colour on its way from light to dark is neither.
      await page.evaluate("Promise.allSettled(document.getAnimations().map((animation) => animation.finished))")
      const look = `${what}, ${viewport.width} px, ${colorScheme}`
      expect(await page.evaluate(CHECKS), look).toEqual([])
      if (SCREENSHOTS) await this.#photograph(look)
    }
    await page.setViewportSize(PHONE)
    expect(await this.#nameless(), what).toEqual([])
    this.expectCalm()
  }

  /** No error, no broken policy, nothing asked of anybody else. */
  expectCalm(): void {
    expect({ complaints: this.#complaints, strangers: this.#strangers }, this.#origin).toEqual({ complaints: [], strangers: [] })
  }

  /** Presses Tab until it is there, as somebody without a mouse does; whatever has the focus on the way can be seen to have it. */
  async tabTo(name: string | RegExp): Promise<void> {
    const { page } = this
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press("Tab")
      const focused = page.locator("*:focus")
      if ((await focused.count()) === 0) continue
      const outline = await focused.evaluate((element) => {
        const marked = element.closest(".choice") ?? element
        const { outlineStyle, outlineWidth } = (globalThis as any).getComputedStyle(marked)
        return outlineStyle === "none" ? 0 : Number.parseFloat(outlineWidth)
      })
      const snapshot = await focused.ariaSnapshot()
      expect(outline, `focus on ${snapshot}`).toBeGreaterThanOrEqual(2)
      if (typeof name === "string" ? snapshot.includes(`"${name}"`) : name.test(snapshot)) return
    }
    expect.unreachable(`no Tab leads to ${name}`)
  }

  /** Controls for which a screen reader would have no name, by what the browser tells it. */
  async #nameless(): Promise<string[]> {
    const session = await this.context.newCDPSession(this.page)
    const { nodes } = await session.send("Accessibility.getFullAXTree")
    await session.detach()
    const roles = ["button", "link", "textbox", "radio", "heading", "progressbar", "navigation", "group"]
    return nodes.flatMap(({ role, name, ignored }) =>
      !ignored && roles.includes(role?.value) && !name?.value ? [`a ${role?.value} without a name`] : [],
    )
  }

  async #photograph(look: string): Promise<void> {
    mkdirSync(SCREENSHOTS!, { recursive: true })
    await this.page.screenshot({ path: join(SCREENSHOTS!, `${look.replace(/\W+/g, "-")}.png`) })
  }
}
