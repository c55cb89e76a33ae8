// Operations share the slots in which kept work is run.
import { expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { code, nothing, op, topic, trestle } from "../../src/index.ts"
import { rememberingLog, THROWAWAY } from "../../src/testing/stand-ins.ts"

const Note = z.object({ n: z.number().int() })
const stuck = topic("note.stuck", Note)
const quick = topic("note.quick", Note)

test("a hundred messages whose consumer hangs → messages of another topic go on", async () => {
  const release = Promise.withResolvers<void>()
  const heard: number[] = []
  const consumer = (on: typeof stuck, f: (n: number) => Promise<void> | void) =>
    op({ on, effect: "write", repeat: "natural", input: Note, output: nothing, deadline: "1m" }).via(
      code(async ({ n }) => void (await f(n))),
    )
  let hung = 0
  const hangs = consumer(stuck, () => {
    hung++
    return release.promise
  })
  const works = consumer(quick, (n) => void heard.push(n))
  const running = await startApp(trestle({ name: "shared", ops: { hangs, works } }), { ...THROWAWAY, log: rememberingLog([]) })
  await Promise.all(Array.from({ length: 100 }, (_, n) => running.publish(stuck, { n })))
  await expect.poll(() => hung).toBeGreaterThanOrEqual(40)
  await Promise.all(Array.from({ length: 100 }, (_, n) => running.publish(quick, { n })))
  await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(100)
  expect(hung).toBeLessThan(64)
  release.resolve()
  await expect.poll(() => hung, { timeout: 5_000 }).toBe(100)
  await running.close()
})
