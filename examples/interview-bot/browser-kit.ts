// What the tests in a real browser share: a bot, people at it, and what people do there.
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, onTestFinished } from "vitest"
import { type Bot, startBot } from "./bot-process.ts"
import { executablePath, openBrowser, Person } from "./browser.ts"
import { freshFolder } from "./fixture.ts"

export const QUESTIONS = 8
export const ANSWER =
  "I would look at the plan first, because a statistic may be old. For example, an index on 2,000,000 rows was not used."

let browser: Browser
let emails = 0

/** Tests of the file that calls this share one browser; where there is none they are skipped, and fail under CI. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (!executablePath) console.warn("interview bot: no Chromium here (set CHROMIUM); the tests in a real browser are skipped")
  describe.skipIf(!executablePath && !process.env.CI)(name, { timeout: 90_000 }, () => {
    beforeAll(async () => {
      browser = await openBrowser()
    })
    afterAll(() => browser?.close())
    tests()
  })
}

export async function ownBot(env: Readonly<Record<string, string>> = {}): Promise<Bot> {
  const bot = await startBot({ TRESTLE_DATA: await freshFolder(), ...env })
  onTestFinished(() => void bot.child.kill("SIGKILL"))
  return bot
}

export async function at(url: string): Promise<Person> {
  const person = await Person.at(browser, url)
  onTestFinished(() => person.context.close())
  return person
}

export const heading = (page: Page) => page.getByRole("heading", { level: 1 })
export const begin = (page: Page) => page.getByRole("button", { name: "Begin the interview" }).click()
export const save = (page: Page) => page.getByRole("button", { name: "Save and continue" }).click()

export async function fillSignUp(page: Page, name = "Ada Lovelace"): Promise<void> {
  await page.getByLabel("Your name").fill(name)
  await page.getByLabel("E-mail").fill(`person-${++emails}@example.org`)
  await page.getByRole("radio", { name: "Senior" }).check()
}

export async function signUp(page: Page, name?: string): Promise<void> {
  await fillSignUp(page, name)
  await begin(page)
  await page.getByText(`0 of ${QUESTIONS} answered`).waitFor()
}

export async function answerAll(page: Page, from = 0): Promise<void> {
  for (let done = from; done < QUESTIONS; done++) {
    await page.getByLabel("Your answer").fill(`${ANSWER} (${done + 1})`)
    await save(page)
    if (done + 1 < QUESTIONS) await page.getByText(`${done + 1} of ${QUESTIONS} answered`).waitFor()
  }
  await page.getByRole("heading", { name: "Thank you" }).waitFor()
}

export async function enterKey(page: Page, key: string): Promise<void> {
  await page.getByLabel("Recruiter key").fill(key)
  await page.getByRole("button", { name: "Open the list" }).click()
  await page.getByRole("heading", { name: "Candidates" }).waitFor()
}

/** Makes a service of the demo world fail, as the lines of the banner do. */
export async function play(bot: Bot, service: string, mode: string): Promise<void> {
  expect(await bot.call("POST /_demo/fail", { body: { service, mode } })).toMatchObject({ status: 200 })
}
