// The server goes away under load, politely and by a crash, and comes back.
import { describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { systemClock } from "../../../src/base/clock.ts"
import { nothing, op, postgres, secret, sql } from "../../../src/index.ts"
import { type OwnPostgres, ownPostgres } from "../../servers/postgres.ts"
import { begun } from "../sql/kit.ts"
import { NOTES, tell } from "./kit.ts"

const BACK_MS_MAX = 2_000
const CALLERS = 8

const own: OwnPostgres | null = await ownPostgres({ isDurable: true })

describe.skipIf(own === null)("a restart under load", () => {
  test.each(["fast", "immediate"] as const)("%s: back within 2 s, what was acknowledged is there, nothing is unhandled", async (how) => {
    await tell(own!.url, "drop table if exists marks, notes, trestle_migrations")
    const policy = { retry: 0, breaker: { failures: 5, of: 10, rest: "500ms" } } as const
    const db = postgres({ url: secret("NOTES_DB"), policy, migrations: NOTES, migrate: "on start" })
    const add = op({ effect: "write", input: z.object({ text: z.string() }), output: nothing }).via(
      db.run(({ text }) => sql`insert into notes (text) values (${text})`),
    )
    const { ask } = await begun({ add }, { clock: systemClock, values: { NOTES_DB: own!.url } })
    const unhandled: unknown[] = []
    const hear = (error: unknown): void => void unhandled.push(error)
    process.on("unhandledRejection", hear)
    onTestFinished(() => void process.off("unhandledRejection", hear))

    const acknowledged: string[] = []
    const refused: string[] = []
    const others: unknown[] = []
    let isOver = false
    let whenWell = (): void => undefined
    const caller = async (name: number): Promise<void> => {
      for (let n = 0; !isOver; n++) {
        const text = `${name}-${n}`
        const answer = await ask.add.safe({ text })
        if (answer.ok) {
          acknowledged.push(text)
          whenWell()
        } else if (answer.outcome === "refused") refused.push(text)
        else others.push(answer)
        if (!answer.ok) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const well = (): Promise<void> => new Promise((resolve) => (whenWell = resolve))
    const callers = Array.from({ length: CALLERS }, (_, name) => caller(name))
    await well()
    await own!.stop(how)
    await own!.start()
    const startedAt = performance.now()
    await well()
    expect(performance.now() - startedAt).toBeLessThan(BACK_MS_MAX)
    isOver = true
    await Promise.all(callers)

    const kept = new Set((await tell(own!.url, "select text from notes")).map(({ text }) => text))
    expect(acknowledged.filter((text) => !kept.has(text))).toEqual([])
    expect(refused.filter((text) => kept.has(text))).toEqual([])
    expect(others.every((one) => (one as { code: string }).code === "OUTCOME_UNKNOWN")).toBe(true)
    expect(unhandled).toEqual([])
  })
})
