// The whole interview as people do it: the real bot, a real browser, clicks and keys.
import { readFile } from "node:fs/promises"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type Bot, startBot } from "./bot-process.ts"
import {
  ANSWER,
  answerAll,
  at,
  begin,
  describeInBrowser,
  enterKey,
  fillSignUp,
  heading,
  ownBot,
  play,
  QUESTIONS,
  save,
  signUp,
} from "./browser-kit.ts"
import { freshFolder } from "./fixture.ts"

describeInBrowser("in a browser", () => {
  /** For what needs no empty one. */
  let shared: Bot
  beforeAll(async () => {
    shared = await startBot({ TRESTLE_DATA: await freshFolder() })
  })
  afterAll(() => void shared?.child.kill("SIGKILL"))

  test("by clicking: from the first wrong e-mail to the score on the candidate's page", async () => {
    const bot = await ownBot({ SCORING_URL: "demo" })
    const ada = await at(bot.url)
    const { page } = ada
    // Until somebody has looked at the page without scores.
    await play(bot, "scoring", "refusing")
    await ada.look("01 welcome")

    await fillSignUp(page)
    await page.getByLabel("E-mail").fill("ada-at-example")
    await begin(page)
    const wrong = page.locator("#email-error")
    await wrong.waitFor()
    await expect.poll(() => wrong.textContent()).toBe("Please enter an e-mail address, such as ada@example.org.")
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
    await expect.poll(() => page.getByText("No score yet.").count()).toBe(QUESTIONS)
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
    await expect.poll(() => rita.page.getByRole("button", { name: /^Score the answer/ }).count()).toBe(QUESTIONS)
    await rita.look("10 candidate")

    // Nobody has to ask for them: the candidate's page shows the scores as they come.
    await play(bot, "scoring", "ok")
    await page.locator("#outcome", { hasText: `${QUESTIONS} of ${QUESTIONS} have a score` }).waitFor({ timeout: 60_000 })
    await expect.poll(() => page.getByText("Credited:").count()).toBe(QUESTIONS)
    await expect.poll(() => page.getByText("No score yet.").count()).toBe(0)
    await ada.look("12 scores seen")
    const points = await page.locator(".score b").first().textContent()

    await rita.page.reload()
    await rita.page.getByText("of 10", { exact: false }).first().waitFor()
    expect(await rita.page.locator(".score b").first().textContent()).toBe(points)
    await expect.poll(() => rita.page.getByText("Placeholder").count()).toBe(0)
    await rita.look("11 scored")
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
    await expect.poll(() => rita.page.getByRole("status").textContent()).toBe("Scored 5 of 10.")

    // What is made up is not kept.
    await ada.tabTo("Look for scores")
    await ada.page.keyboard.press("Enter")
    await ada.page.locator("#outcome", { hasText: "Scores appear here by themselves" }).waitFor()
    await expect.poll(() => ada.page.getByText("No score yet.").count()).toBe(QUESTIONS)
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
    await expect.poll(() => heading(page).textContent()).toBe(question)
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
    await expect.poll(() => page.getByText("The first.").count()).toBe(1)
    await expect.poll(() => page.getByText("The second.").count()).toBe(0)
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
      await expect.poll(() => page.getByText(hostile, { exact: true }).count()).toBeGreaterThan(0)
      await expect.poll(() => page.locator("main img, main script").count()).toBe(0)
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
    const rita = await at(`${bot.url}/recruiter`)
    await enterKey(rita.page, bot.key)
    const looked = rita.page.waitForResponse((response) => response.request().method() === "HEAD")
    await rita.page.getByRole("link", { name: "Ada Lovelace" }).click()
    expect((await looked).status()).toBe(404)
    const fetching = rita.page.getByRole("button", { name: "Fetch the recording" })
    expect(await fetching.isVisible()).toBe(false)
    const buffer = Buffer.alloc(3_000_000, "sound ")
    await page.getByLabel("Sound or film").setInputFiles({ name: "ada.webm", mimeType: "video/webm", buffer })
    await send()
    await page.getByRole("heading", { name: "Your recording is here" }).waitFor()

    await rita.page.reload()
    const downloading = rita.page.waitForEvent("download")
    await fetching.click()
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
    const errors = page.locator(".error:visible")
    await expect.poll(() => errors.allTextContents()).toEqual(["Please enter your name.", "Please choose junior or senior."])
    await page.getByLabel("Your name").fill("Ada")
    await page.getByRole("radio", { name: "Junior" }).check()
    await begin(page)
    await page.getByText("This address is registered already.").waitFor()
    await expect.poll(() => errors.count()).toBe(1)
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
    await expect.poll(() => rita.page.locator(".people b").allTextContents()).toEqual(["Person 51"])
    await rita.look("16 second page")
    await rita.page.getByRole("button", { name: "Earlier" }).click()
    await rita.page.getByText("1 to 50 of 51").waitFor()
    await rita.page.getByRole("button", { name: "Sign out" }).click()
    await rita.page.getByLabel("Recruiter key").waitFor()
    expect(await rita.page.evaluate("sessionStorage.length")).toBe(0)
  })
})
