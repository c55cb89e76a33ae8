import type { PlannedPromise } from "./connector-promises.ts"
import { errorOf, see } from "./connector-subject.ts"

const AWKWARD: Readonly<Record<string, string>> = {
  "no letter": "",
  "spaces at both ends": " leading and trailing ",
  "a piece of SQL": "'; drop table notes; --",
  "an operator object": '{"$gt": ""}',
  "patterns of templates": "#{7*7} {{7*7}} %s %00",
  "a script": "<script>alert(1)</script>",
  "lines that look like commands": "line\r\nEND\r\nset other 0 0 1\r\nx\r\n",
  "letters of the world": "Zażółć gęślą jaźń 漢字 🙂‍↔️ \u202e",
  "100,000 letters": "x".repeat(100_000),
}
const AT_ONCE = 64

/** What is stored and answered. */
export function answerPromises(conflict: string | null): PlannedPromise[] {
  return [
    ...Object.entries(AWKWARD).map(([what, text], i) => storedPromise(what, text, `awkward-${i}`)),
    {
      promise: "a record that is not there → NOT_FOUND, as an answer",
      see: async ({ read }) => {
        const error = await errorOf(read({ key: "nowhere" }), "a read of nothing")
        see(error.code === "NOT_FOUND", `it is ${error.code}`)
        see(error.outcome === "answered", `its outcome is ${error.outcome}: a fallback would take over`)
      },
    },
    ...(conflict === null ? [] : [conflictPromise(conflict)]),
    {
      promise: `${AT_ONCE} calls at once → each gets its own answer`,
      see: async ({ write, read }) => {
        const keys = Array.from({ length: AT_ONCE }, (_, i) => `at-once-${i}`)
        await Promise.all(keys.map((key) => write({ key, text: `of ${key}` })))
        const texts = await Promise.all(keys.map(async (key) => (await read({ key })).value.text))
        const crossed = texts.filter((text, i) => text !== `of at-once-${i}`)
        see(crossed.length === 0, `${crossed.length} answers went to the wrong caller, the first: ${crossed[0]}`)
      },
    },
    {
      promise: "an answer → says who served it",
      see: async ({ write, sample }) => {
        const { meta } = await write({ key: "served", text: "by" })
        const { name } = sample.service["~service"]
        see(meta.servedBy === name, `meta.servedBy is "${meta.servedBy}", and must be the service's name "${name}"`)
        see(meta.degraded === false, "a first choice's answer is called degraded")
      },
    },
  ]
}

function storedPromise(what: string, text: string, key: string): PlannedPromise {
  return {
    promise: `stores ${what} → gives it back as it was`,
    see: async ({ write, read }) => {
      await write({ key, text })
      const { value, meta } = await read({ key })
      see(value.text === text, `it gave back ${JSON.stringify(value.text).slice(0, 200)}`)
      see(meta.attempts === 1, `it took ${meta.attempts} attempts`)
    },
  }
}

function conflictPromise(code: string): PlannedPromise {
  return {
    promise: `a record that is already there → ${code}, as an answer`,
    see: async ({ write, read }) => {
      await write({ key: "twice", text: "first" })
      const error = await errorOf(write({ key: "twice", text: "second" }), "a second write")
      see(error.code === code, `it is ${error.code}, and must be ${code}`)
      see(error.outcome === "answered", `its outcome is ${error.outcome}`)
      see((await read({ key: "twice" })).value.text === "first", "the first record is gone")
    },
  }
}
