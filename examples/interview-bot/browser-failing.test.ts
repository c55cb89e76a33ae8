// What people see while the services behind the bot fail, and that they can go on.
import { expect, test } from "vitest"
import {
  ANSWER,
  answerAll,
  at,
  begin,
  describeInBrowser,
  enterKey,
  fillSignUp,
  ownBot,
  play,
  QUESTIONS,
  save,
  signUp,
} from "./browser-kit.ts"

describeInBrowser("while services fail", () => {
  test("nobody takes a sign-up: said kindly, nothing is lost, and a second try works", async () => {
    const bot = await ownBot()
    const ada = await at(bot.url)
    const { page } = ada
    await play(bot, "people", "refusing")
    await play(bot, "replica", "refusing")
    await fillSignUp(page)
    await begin(page)
    await page.getByRole("heading", { name: "Not available just now" }).waitFor()
    await expect.poll(() => page.getByText(/^Support id: [0-9a-f]{32}$/).count()).toBe(1)
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
    await expect.poll(() => ada.page.getByRole("button", { name: "Try again" }).count()).toBe(0)
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
    await expect.poll(() => rita.page.getByRole("link", { name: "Ada Lovelace" }).count()).toBe(1)
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
    await expect.poll(() => rita.page.getByRole("button", { name: /^Score the answer/ }).textContent()).toBe("Score this answer")
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

  test("the pass is no longer valid: the person signs up again, and finds what was written", async () => {
    const bot = await ownBot()
    const ada = await at(bot.url)
    const { page } = ada
    await signUp(page)
    await page.getByLabel("Your answer").fill("Half a thought")
    await page.evaluate("sessionStorage.interview = sessionStorage.interview.replace(/_.{43}/, '_' + 'A'.repeat(43))")
    await page.reload()
    await page.getByRole("heading", { name: "Please sign up again" }).waitFor()
    await ada.look("25 pass no longer valid")
    await signUp(page)
    expect(await page.getByLabel("Your answer").inputValue()).toBe("Half a thought")
  })
})
