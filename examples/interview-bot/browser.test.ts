// The whole interview as people do it: the real bot, a real browser, clicks and keys.
import { readFile } from "node:fs/promises"
import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { type Bot, startBot } from "./bot-process.ts"
import { executablePath, openBrowser, Person } from "./browser.ts"
import { freshFolder } from "./fixture.ts"

if (!executablePath) console.warn("interview bot: no Chromium here (set CHROMIUM); the tests in a real browser are skipped")

const QUESTIONS = 8
const ANSWER = "I would look at the plan first, because a statistic may be old. For example, an index on 2,000,000 rows was not used."

let browser: Browser
/** For what neither needs an empty one nor makes its services fail. */
let shared: Bot
let emails = 0

async function ownBot(env: Readonly<Record<string, string>> = {}): Promise<Bot> {
  const bot = await startBot({ TRESTLE_DATA: await freshFolder(), ...env })
  onTestFinished(() => void bot.child.kill("SIGKILL"))
  return bot
}

async function at(url: string): Promise<Person> {
  const person = await Person.at(browser, url)
  onTestFinished(() => person.context.close())
  return person
}

const heading = (page: Page) => page.getByRole("heading", { level: 1 })
const begin = (page: Page) => page.getByRole("button", { name: "Begin the interview" }).click()
const save = (page: Page) => page.getByRole("button", { name: "Save and continue" }).click()

async function fillSignUp(page: Page, name = "Ada Lovelace"): Promise<void> {
  await page.getByLabel("Your name").fill(name)
  await page.getByLabel("E-mail").fill(`person-${++emails}@example.org`)
  await page.getByRole("radio", { name: "Senior" }).check()
}

async function signUp(page: Page, name?: string): Promise<void> {
  await fillSignUp(page, name)
  await begin(page)
  await page.getByText(`0 of ${QUESTIONS} answered`).waitFor()
}

async function answerAll(page: Page, from = 0): Promise<void> {
  for (let done = from; done < QUESTIONS; done++) {
    await page.getByLabel("Your answer").fill(`${ANSWER} (${done + 1})`)
    await save(page)
    if (done + 1 < QUESTIONS) await page.getByText(`${done + 1} of ${QUESTIONS} answered`).waitFor()
  }
  await page.getByRole("heading", { name: "Thank you" }).waitFor()
}

async function enterKey(page: Page, key: string): Promise<void> {
  await page.getByLabel("Recruiter key").fill(key)
  await page.getByRole("button", { name: "Open the list" }).click()
  await page.getByRole("heading", { name: "Candidates" }).waitFor()
}

/** Makes a service of the demo world fail, as the lines of the banner do. */
async function play(bot: Bot, service: string, mode: string): Promise<void> {
  expect(await bot.call("POST /_demo/fail", { body: { service, mode } })).toMatchObject({ status: 200 })
}

describe.skipIf(!executablePath && !process.env.CI)("in a browser", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    browser = await openBrowser()
    shared = await startBot({ TRESTLE_DATA: await freshFolder() })
  })
  afterAll(async () => {
    await browser?.close()
    shared?.child.kill("SIGKILL")
  })

  test("by clicking: from the first wrong e-mail to the score on the candidate's page", { timeout: 90_000 }, async () => {
    const bot = await ownBot({ SCORING_URL: "demo" })
    const ada = await at(bot.url)
    const { page } = ada
    await ada.look("01 welcome")

    await fillSignUp(page)
    await page.getByLabel("E-mail").fill("ada-at-example")
    await begin(page)
    const wrong = page.locator("#email-error")
    await wrong.waitFor()
    expect(await wrong.textContent()).toBe("Please enter an e-mail address, such as ada@example.org.")
    expect(await page.locator("*:focus").getAttribute("id")).toBe("email")
    await ada.look("02 wrong e-mail")

    await page.getByLabel("E-mail").fill("ada@example.org")
    await begin(page)
    await page.getByText(`0 of ${QUESTIONS} answered`).waitFor()
    await ada.look("03 first question")

    await save(page)
    await page.getByText("Please write an answer first.").waitFor()
    await ada.look("04 nothing written")

    const first = await heading(page).textContent()
    await page.getByRole("button", { name: "Skip for now" }).click()
    await expect.poll(() => heading(page).textContent()).not.toBe(first)
    await page.getByLabel("Your answer").fill(ANSWER)
    await ada.look("05 writing")
    await answerAll(page)
    expect(await page.getByText("No score yet.").count()).toBe(QUESTIONS)
    await ada.look("06 done")

    const rita = await at(`${bot.url}/recruiter`)
    await rita.look("07 key")
    await rita.page.getByLabel("Recruiter key").fill("trs_guessed")
    await rita.page.getByRole("button", { name: "Open the list" }).click()
    await rita.page.getByText("This key is not valid").waitFor()
    await rita.look("08 wrong key")
    await enterKey(rita.page, bot.key)
    await rita.page.getByText("8 answered, 0 scored").waitFor()
    await rita.look("09 list")

    await rita.page.getByRole("link", { name: "Ada Lovelace" }).click()
    await rita.page.getByRole("heading", { name: "8 answers" }).waitFor()
    await rita.look("10 candidate")
    await rita.page
      .getByRole("button", { name: /^Score the answer/ })
      .first()
      .click()
    await rita.page.getByText("of 10", { exact: false }).first().waitFor()
    const points = await rita.page.locator(".score b").first().textContent()
    expect(await rita.page.getByText("Placeholder").count()).toBe(0)
    await rita.look("11 scored")

    await page.getByRole("button", { name: "Look for scores" }).click()
    await page.locator("#outcome", { hasText: `1 of ${QUESTIONS} have a score` }).waitFor()
    expect(await page.locator(".score b").first().textContent()).toBe(points)
    expect(await page.getByText("Credited:").count()).toBe(1)
    await ada.look("12 score seen")
  })

  test("by keyboard alone: the same, with the placeholder in the place of the score", async () => {
    const bot = await ownBot()
    const ada = await at(bot.url)
    const { keyboard } = ada.page
    await ada.tabTo("Your name")
    await keyboard.type("Ada Lovelace")
    await ada.tabTo("E-mail")
    await keyboard.type("ada-at-example")
    await ada.tabTo(/radio "Junior/)
    await keyboard.press("ArrowDown")
    await keyboard.press("Enter")
    await ada.page.locator("#email-error").waitFor()
    await keyboard.press("ControlOrMeta+a")
    await keyboard.type("ada@example.org")
    await ada.tabTo("Begin the interview")
    await keyboard.press("Enter")
    await ada.page.getByText(`0 of ${QUESTIONS} answered`).waitFor()
    for (let done = 1; done <= QUESTIONS; done++) {
      await ada.tabTo("Your answer")
      await keyboard.type("Because it depends.")
      // Both ways of saving: the button, and the shortcut.
      if (done % 2 === 0) await keyboard.press("Control+Enter")
      else {
        await ada.tabTo("Save and continue")
        await keyboard.press("Space")
      }
      await ada.page
        .getByText(done < QUESTIONS ? `${done} of ${QUESTIONS} answered` : "All your answers are saved")
        .first()
        .waitFor()
    }

    const rita = await at(`${bot.url}/recruiter`)
    await rita.tabTo("Recruiter key")
    await rita.page.keyboard.type(bot.key)
    await rita.page.keyboard.press("Enter")
    await rita.page.getByRole("heading", { name: "Candidates" }).waitFor()
    await rita.tabTo(/link "Ada Lovelace/)
    await rita.page.keyboard.press("Enter")
    await rita.page.getByRole("heading", { name: "8 answers" }).waitFor()
    await rita.tabTo(/button "Score the answer to/)
    await rita.page.keyboard.press("Enter")
    await rita.page.getByText("Nobody has read this answer").waitFor()
    await rita.look("13 placeholder")
    expect(await rita.page.getByRole("status").textContent()).toBe("Scored 5 of 10.")

    // What is made up is not kept.
    await ada.tabTo("Look for scores")
    await ada.page.keyboard.press("Enter")
    await ada.page.getByText("look for scores here").waitFor()
    expect(await ada.page.getByText("No score yet.").count()).toBe(QUESTIONS)
    ada.expectCalm()
  })

  test("reloaded in the middle of a sentence: the same question, the same words", async () => {
    const bot = shared
    const { page } = await at(bot.url)
    await signUp(page)
    await page.getByLabel("Your answer").fill(ANSWER)
    await save(page)
    await page.getByText(`1 of ${QUESTIONS} answered`).waitFor()
    await page.getByLabel("Your answer").pressSequentially("To begin w")
    const question = await heading(page).textContent()
    await page.reload()
    await page.getByText(`1 of ${QUESTIONS} answered`).waitFor()
    expect(await heading(page).textContent()).toBe(question)
    expect(await page.getByLabel("Your answer").inputValue()).toBe("To begin w")
  })

  test("answered elsewhere in the meantime: said, and the first answer stays", async () => {
    const bot = shared
    const { page } = await at(bot.url)
    await signUp(page)
    const { id, token } = JSON.parse((await page.evaluate("sessionStorage.interview")) as string)
    const body = { candidateId: id, questionId: "senior-boundary", text: "The first." }
    expect(await bot.call("POST /answers", { credential: token, body })).toMatchObject({ status: 201 })
    await page.getByLabel("Your answer").fill("The second.")
    await save(page)
    await page.getByText("That question has an answer from you already").waitFor()
    await answerAll(page, 1)
    expect(await page.getByText("The first.").count()).toBe(1)
    expect(await page.getByText("The second.").count()).toBe(0)
  })

  test("a name and an answer that hold markup: shown as they were typed, nothing of it is run", async () => {
    const bot = shared
    const hostile = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`
    const eve = await at(bot.url)
    await signUp(eve.page, hostile)
    await eve.page.getByLabel("Your answer").fill(hostile)
    await save(eve.page)
    await eve.page.getByText(`1 of ${QUESTIONS} answered`).waitFor()
    await answerAll(eve.page, 1)
    const rita = await at(`${bot.url}/recruiter`)
    await enterKey(rita.page, bot.key)
    await rita.page.getByRole("link", { name: hostile }).click()
    await rita.page.getByRole("heading", { name: hostile }).waitFor()
    for (const { page } of [eve, rita]) {
      expect(await page.getByText(hostile, { exact: true }).count()).toBeGreaterThan(0)
      expect(await page.locator("main img, main script").count()).toBe(0)
      expect(await page.title()).not.toBe("pwned")
    }
    await eve.look("14 markup")
    await rita.look("15 markup for recruiters")
  })

  test("a recording: sent by the candidate, fetched by the recruiter, the same bytes", async () => {
    const bot = await ownBot()
    const ada = await at(bot.url)
    const { page } = ada
    await signUp(page)
    await answerAll(page)
    const send = () => page.getByRole("button", { name: "Send the recording" }).click()
    await send()
    await page.getByText("Please choose a file first.").waitFor()
    await page.getByLabel("Sound or film").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no sound") })
    await send()
    await page.getByText("This is neither sound nor film.").waitFor()
    await ada.look("26 no recording")
    const buffer = Buffer.alloc(3_000_000, "sound ")
    await page.getByLabel("Sound or film").setInputFiles({ name: "ada.webm", mimeType: "video/webm", buffer })
    await send()
    await page.getByRole("heading", { name: "Your recording is here" }).waitFor()

    const rita = await at(`${bot.url}/recruiter`)
    await enterKey(rita.page, bot.key)
    await rita.page.getByRole("link", { name: "Ada Lovelace" }).click()
    const downloading = rita.page.waitForEvent("download")
    await rita.page.getByRole("button", { name: "Fetch the recording" }).click()
    expect(buffer.equals(await readFile(await (await downloading).path()))).toBe(true)
    rita.expectCalm()
  })

  test("an e-mail that is taken, nothing chosen: said at the field", async () => {
    const bot = shared
    const body = { name: "Ada", email: "taken@example.org", level: "junior" }
    expect(await bot.call("POST /candidates", { body })).toMatchObject({ status: 201 })
    const { page } = await at(bot.url)
    await page.getByLabel("E-mail").fill("TAKEN@example.org")
    await begin(page)
    expect(await page.locator(".error:visible").allTextContents()).toEqual(["Please enter your name.", "Please choose junior or senior."])
    await page.getByLabel("Your name").fill("Ada")
    await page.getByRole("radio", { name: "Junior" }).check()
    await begin(page)
    await page.getByText("This address is registered already.").waitFor()
    expect(await page.locator(".error:visible").count()).toBe(1)
  })

  test("51 candidates: two pages of them", async () => {
    const bot = await ownBot()
    for (let i = 1; i <= 51; i++)
      await bot.call("POST /candidates", { body: { name: `Person ${i}`, email: `p${i}@example.org`, level: "junior" } })
    const rita = await at(`${bot.url}/recruiter`)
    await enterKey(rita.page, bot.key)
    await rita.page.getByText("1 to 50 of 51").waitFor()
    await rita.page.getByRole("button", { name: "Later" }).click()
    await rita.page.getByText("51 of 51", { exact: true }).waitFor()
    expect(await rita.page.locator(".people b").allTextContents()).toEqual(["Person 51"])
    await rita.look("16 second page")
    await rita.page.getByRole("button", { name: "Earlier" }).click()
    await rita.page.getByText("1 to 50 of 51").waitFor()
    await rita.page.getByRole("button", { name: "Sign out" }).click()
    await rita.page.getByLabel("Recruiter key").waitFor()
    expect(await rita.page.evaluate("sessionStorage.length")).toBe(0)
  })

  describe("while services fail", () => {
    test("nobody takes a sign-up: said kindly, nothing is lost, and a second try works", async () => {
      const bot = await ownBot()
      const ada = await at(bot.url)
      const { page } = ada
      await play(bot, "people", "refusing")
      await play(bot, "replica", "refusing")
      await fillSignUp(page)
      await begin(page)
      await page.getByRole("heading", { name: "Not available just now" }).waitFor()
      expect(await page.getByText(/^Support id: [0-9a-f]{32}$/).count()).toBe(1)
      expect(await page.getByLabel("Your name").inputValue()).toBe("Ada Lovelace")
      await ada.look("17 nobody takes the sign-up")

      await play(bot, "replica", "ok")
      // The circuit breaker tries again after its rest of 5 s.
      await expect
        .poll(
          async () => {
            const again = page.getByRole("button", { name: "Try again" })
            if (await again.isVisible()) await again.click()
            return page.getByText(`0 of ${QUESTIONS} answered`).isVisible()
          },
          { timeout: 12_000, interval: 300 },
        )
        .toBe(true)
      await page.getByText("its replica keeps your registration").waitFor()
      await ada.look("18 signed up at the replica")
    })

    test("nobody knows whether the sign-up worked: said so, and not offered again", async () => {
      const bot = await ownBot()
      const ada = await at(bot.url)
      await play(bot, "people", "failing")
      await fillSignUp(ada.page)
      await begin(ada.page)
      await ada.page.getByRole("heading", { name: "We cannot tell whether it worked" }).waitFor()
      expect(await ada.page.getByRole("button", { name: "Try again" }).count()).toBe(0)
      await ada.look("19 outcome unknown")
    })

    test("the people service and its replica are out: the interview goes on to its end, after a reload too", async () => {
      const bot = await ownBot()
      const ada = await at(bot.url)
      await signUp(ada.page)
      await play(bot, "people", "refusing")
      await play(bot, "replica", "refusing")
      await ada.page.reload()
      await ada.page.getByText(`0 of ${QUESTIONS} answered`).waitFor()
      await answerAll(ada.page)

      const rita = await at(`${bot.url}/recruiter#1001`)
      await rita.page.getByLabel("Recruiter key").fill(bot.key)
      await rita.page.getByRole("button", { name: "Open the list" }).click()
      await rita.page.getByRole("heading", { name: "Candidate 1001" }).waitFor()
      await rita.page.getByRole("heading", { name: "8 answers" }).waitFor()
      await rita.look("20 nobody knows whose answers")
      await rita.page.getByRole("link", { name: "Candidates", exact: true }).click()
      await rita.page.getByRole("heading", { name: "Not available just now" }).waitFor()
      await rita.page.getByText("The list cannot be shown just now.").waitFor()
      await rita.look("21 no list")
    })

    test("the list comes from the replica: the recruiter reads so, and why", async () => {
      const bot = await ownBot()
      await signUp((await at(bot.url)).page)
      await play(bot, "people", "refusing")
      const rita = await at(`${bot.url}/recruiter`)
      await enterKey(rita.page, bot.key)
      await rita.page.getByText(/^Why: people: /).waitFor()
      expect(await rita.page.getByRole("link", { name: "Ada Lovelace" }).count()).toBe(1)
      await rita.look("22 from the replica")
    })

    test("the model does not answer: no score, and the button is there again", async () => {
      const bot = await ownBot({ SCORING_URL: "demo" })
      const ada = await at(bot.url)
      await signUp(ada.page)
      await ada.page.getByLabel("Your answer").fill(ANSWER)
      await save(ada.page)
      await play(bot, "scoring", "refusing")
      const rita = await at(`${bot.url}/recruiter`)
      await enterKey(rita.page, bot.key)
      await rita.page.getByRole("link", { name: "Ada Lovelace" }).click()
      await rita.page.getByRole("button", { name: /^Score the answer/ }).click()
      await rita.page.getByRole("heading", { name: "Not available just now" }).waitFor()
      expect(await rita.page.getByRole("button", { name: /^Score the answer/ }).textContent()).toBe("Score this answer")
      await rita.look("23 no model")
      await play(bot, "scoring", "ok")
      await rita.page.getByRole("button", { name: "Try again" }).click()
      await rita.page.locator(".score b").waitFor()
    })

    test("no connection: said, the words stay, and a second try saves them once", async () => {
      const bot = await ownBot()
      const ada = await at(bot.url)
      await signUp(ada.page)
      await ada.page.getByLabel("Your answer").fill(ANSWER)
      await ada.context.setOffline(true)
      await save(ada.page)
      await ada.page.getByRole("heading", { name: "No connection" }).waitFor()
      await ada.look("24 no connection")
      await ada.context.setOffline(false)
      await ada.page.getByRole("button", { name: "Try again" }).click()
      await ada.page.getByText(`1 of ${QUESTIONS} answered`).waitFor()
    })

    test("the bot has forgotten the pass: the person may sign up again", async () => {
      const bot = await ownBot()
      const ada = await at(bot.url)
      await signUp(ada.page)
      await ada.page.evaluate("sessionStorage.interview = sessionStorage.interview.replace(/_.{43}/, '_' + 'A'.repeat(43))")
      await ada.page.reload()
      await ada.page.getByRole("heading", { name: "Your interview is over here" }).waitFor()
      await ada.look("25 pass no longer valid")
    })
  })
})
