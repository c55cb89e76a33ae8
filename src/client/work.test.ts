import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { follower } from "./work.ts"

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
afterEach(() => void vi.useRealTimers())

/** A call whose work goes on, and a server that says each of these in its turn, at once; then the last one again and again. */
function following(...says: readonly object[]) {
  const asked: (string | null)[] = []
  const heard: string[] = []
  const send = async (_: unknown, init?: RequestInit): Promise<Response> => {
    asked.push(new Headers(init?.headers).get("prefer"))
    return Response.json(says[Math.min(asked.length, says.length) - 1])
  }
  const operation = { detailed: async () => ({ value: "pending", meta: { work: "w1" } as never }) }
  const leaving = new AbortController()
  const more = { signal: leaving.signal, onProgress: ({ step }: { step: string }) => void heard.push(step) }
  const answer = follower({ url: "http://app.test", fetch: send })(operation, {}, more)
  answer.catch(() => undefined)
  return { asked, heard, answer, leaving }
}
const running = (step: string) => ({ state: "running", progress: { done: 0, step } })

describe("a server that has nothing new to say, and says so at once", () => {
  test("→ is asked once a second", async () => {
    const { asked, leaving, answer } = following(running("a"))
    await vi.advanceTimersByTimeAsync(5_500)
    // How it stands, the wish to hear of a change, and that again after each pause.
    expect(asked).toHaveLength(2 + 5)
    leaving.abort()
    await expect(answer).rejects.toMatchObject({ code: "CANCELLED" })
  })

  test("→ is asked at once after news, and to the end", async () => {
    const { heard, answer } = following(running("a"), running("b"), running("c"), { state: "done", answer: 5 })
    expect(await answer).toBe(5)
    expect(heard).toEqual(["a", "b", "c", ""])
  })
})
