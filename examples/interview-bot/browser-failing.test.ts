// What people see while the services behind the bot fail, and that they can go on.
import { expect, test } from "vitest"
import { freePort, laterAttempt } from "./bot-process.ts"
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
import { freshFolder } from "./fixture.ts"

describeInBrowser("while services fail", () => {
  test("nobody takes a sign-up: kept, followed over a reload, and the interview begins by itself at the replica", async () => {
    const bot = await ownBot()
    const ada = await at(bot.url)
    const { page } = ada
    await play(bot, "people", "refusing")
    await play(bot, "replica", "refusing")
    await fillSignUp(page)
    await begin(page)
    await page.getByRole("heading", { name: "We have your registration" }).waitFor()
    await page.getByText(/^for person-\d+@example\.org$/).waitFor()
    await page.locator("#pending-state", { hasText: "Waiting for one of our systems to come back" }).waitFor()
    await ada.look("17 kept for later")
    await page.reload()
    await page.getByRole("heading", { name: "We have your registration" }).waitFor()

    await play(bot, "replica", "ok")
    await page.getByText(`0 of ${QUESTIONS} answered`).waitFor({ timeout: 60_000 })
    await ada.look("18 begun by itself")
    await page.reload()
    await page.getByText(`0 of ${QUESTIONS} answered`).waitFor()
    expect((await bot.call("GET /_demo/people")).body.records).toHaveLength(1)
  })

  test("nobody knows whether the sign-up worked: looked up, and the one record that it made is taken", async () => {
    const bot = await ownBot()
    const { page } = await at(bot.url)
    await play(bot, "people", "failing")
    await fillSignUp(page)
    await begin(page)
    await page.getByRole("heading", { name: "We have your registration" }).waitFor()
    await play(bot, "people", "ok")
    await page.getByText(`0 of ${QUESTIONS} answered`).waitFor({ timeout: 60_000 })
    const { records, arrivals } = (await bot.call("GET /_demo/people")).body
    expect(records).toHaveLength(1)
    expect(arrivals.people["POST /v2/people"]).toBe(1)
  })

  test("the address was taken all along: said at the field, when that is known", async () => {
    const bot = await ownBot()
    const body = { name: "Ada", email: "taken@example.org", level: "junior" }
    expect(await bot.call("POST /candidates", { body })).toMatchObject({ status: 201 })
    const ada = await at(bot.url)
    const { page } = ada
    await play(bot, "people", "failing")
    await fillSignUp(page)
    await page.getByLabel("E-mail").fill("taken@example.org")
    await begin(page)
    await page.getByRole("heading", { name: "We have your registration" }).waitFor()
    await play(bot, "people", "ok")
    await page.getByText("This address is registered already.").waitFor({ timeout: 60_000 })
    expect(await page.locator("*:focus").getAttribute("id")).toBe("email")
    expect(await page.getByLabel("Your name").inputValue()).toBe("Ada Lovelace")
    expect(await page.getByRole("radio", { name: "Senior" }).isChecked()).toBe(true)
    await ada.look("19 taken all along")
    await page.reload()
    await page.getByRole("heading", { name: "Show us how you think" }).waitFor()
  })

  test("killed while somebody waits: the page waits on, and the next run makes the record", async () => {
    const data = { TRESTLE_DATA: await freshFolder(), PORT: String(await freePort()) }
    const bot = await ownBot(data)
    const { page } = await at(bot.url)
    await play(bot, "people", "refusing")
    await play(bot, "replica", "refusing")
    await fillSignUp(page)
    await begin(page)
    await page.getByRole("heading", { name: "We have your registration" }).waitFor()
    await laterAttempt(bot)
    await bot.stop("SIGKILL")
    await ownBot(data)
    await page.getByText(`0 of ${QUESTIONS} answered`).waitFor({ timeout: 60_000 })
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
    await play(bot, "scoring", "refusing")
    await ada.page.getByLabel("Your answer").fill(ANSWER)
    await save(ada.page)
    await ada.page.getByText(`1 of ${QUESTIONS} answered`).waitFor()
    const rita = await at(`${bot.url}/recruiter`)
    await enterKey(rita.page, bot.key)
    await rita.page.getByRole("link", { name: "Ada Lovelace" }).click()
    await rita.page.getByRole("button", { name: /^Score the answer/ }).click()
    await rita.page.getByRole("heading", { name: "Not available just now" }).waitFor()
    await expect.poll(() => rita.page.getByRole("button", { name: /^Score the answer/ }).textContent()).toBe("Score this answer")
    await rita.look("23 no model")
    await play(bot, "scoring", "ok")
    // The circuit breaker rests before it lets one through.
    const scored = async () => {
      const again = rita.page.getByRole("button", { name: "Try again" })
      if (await again.isVisible()) await again.click()
      return rita.page.locator(".score b").isVisible()
    }
    await expect.poll(scored, { timeout: 40_000, interval: 500 }).toBe(true)
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
