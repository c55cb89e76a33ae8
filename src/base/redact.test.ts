import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import { isSecretKey, REDACTED, Redactor } from "./redact.ts"

const CANARY = 's3cr3t/+="canary" ü?'

function redactorOf(...secrets: string[]): Redactor {
  const redactor = new Redactor()
  for (const secret of secrets) redactor.add(secret)
  return redactor
}

const clean = (value: unknown, secret = CANARY): string => JSON.stringify(redactorOf(secret).value(value))

describe("a known secret in a text", () => {
  const base64 = (text: string): string => Buffer.from(text).toString("base64")
  it.each([
    ["as it is", CANARY],
    ["URL component", encodeURIComponent(CANARY)],
    ["URL component in lower case", encodeURIComponent(CANARY).replace(/%../g, (sequence) => sequence.toLowerCase())],
    ["whole URI", encodeURI(CANARY)],
    ["form", new URLSearchParams({ s: CANARY }).toString().slice(2)],
    ["base64", base64(CANARY)],
    ["base64url", Buffer.from(CANARY).toString("base64url")],
    ["JSON", JSON.stringify(CANARY).slice(1, -1)],
    ["JSON with escaped slashes", JSON.stringify(CANARY).slice(1, -1).replaceAll("/", "\\/")],
    ["hexadecimal", Buffer.from(CANARY).toString("hex")],
  ])("%s → masked, the rest stays", (_, form) => expect(redactorOf(CANARY).text(`before ${form} after`)).toBe(`before ${REDACTED} after`))

  it.each(["u:", "me:", "ada:", "user:"])("password of a Basic credential after %j → no digit that depends on it alone stays", (user) => {
    const header = `Basic ${base64(`${user}correct-horse-battery`)}`
    const masked = redactorOf("correct-horse-battery").text(header)
    expect(masked).toContain(REDACTED)
    const left = masked
      .replace("Basic ", "")
      .split(REDACTED)
      .map((part) => Buffer.from(part, "base64").toString())
    expect(left.join("")).not.toMatch(/corr|orse|batt|tery/)
  })

  it("in the userinfo of a URL → masked", () => {
    const url = new URL("http://host/path")
    url.password = CANARY
    expect(redactorOf(CANARY).text(url.href)).toBe(`http://:${REDACTED}@host/path`)
  })
  it("the password of a secret URL alone → masked", () =>
    expect(redactorOf("postgres://app:hunter2hunter2@db/x").text("password hunter2hunter2 refused")).toBe(`password ${REDACTED} refused`))
  it("a secret read with its line break, sent without → masked", () =>
    expect(redactorOf("canary-1234\n").text("x canary-1234 y")).toBe(`x ${REDACTED} y`))
  it("one line of a key file → masked", () =>
    expect(redactorOf("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----").text("bad MIIEvQIBADANBgkqhkiG")).toBe(
      `bad ${REDACTED}`,
    ))
  it("characters of pattern syntax → taken literally", () =>
    expect(redactorOf("a.*(b)[c]$").text("a.*(b)[c]$ axxxbc")).toBe(`${REDACTED} axxxbc`))
  it("half of a surrogate pair → no throw", () => expect(redactorOf("\ud800abcdef").text("ok")).toBe("ok"))
  it("one secret begins with another → the longer goes whole", () =>
    expect(redactorOf("token-1", "token-1-long").text("token-1-long")).toBe(REDACTED))
  it("many in one text → all masked", () => expect(redactorOf("canary1").text("canary1,canary1")).toBe(`${REDACTED},${REDACTED}`))
  it("shorter than six characters → left", () => expect(redactorOf("abc").text("abc")).toBe("abc"))
  it("every offset across the cut of a long text → no part of it stays", () => {
    const redactor = redactorOf("QQQQQQQQQQ")
    for (let offset = 8_180; offset <= 8_195; offset++)
      expect(redactor.text(`${"x".repeat(offset)}QQQQQQQQQQ${"y".repeat(50)}`)).not.toContain("Q")
  })
  it("a long text → cut, with its length", () => {
    const text = redactorOf("canary1").text("x".repeat(1_000_000))
    expect(text.length).toBeLessThan(8_300)
    expect(text).toContain("(1000000 characters)")
  })
  it("add → the version grows", () => {
    const redactor = new Redactor()
    const before = redactor.version
    redactor.add("canary-1")
    expect(redactor.version).toBeGreaterThan(before)
  })
})

describe("a secret by its key", () => {
  it.each([
    "authorization",
    "Authorization",
    "set-cookie",
    "x-api-key",
    "apiKey",
    "client_secret",
    "dbPassword",
    "CRM_TOKEN",
    "pin",
    "webhookSecret",
  ])("%s → masked", (key) => expect(redactorOf().value({ [key]: "whatever" })).toEqual({ [key]: REDACTED }))
  it.each(["tokens", "pinned", "secretary", "author", "shipping", "passwordless"])("%s → not one", (key) =>
    expect(isSecretKey(key)).toBe(false),
  )
  it("an object under such a key → masked whole", () =>
    expect(redactorOf().value({ credentials: { user: "a", x: "b" } })).toEqual({ credentials: REDACTED }))
  it("nothing under such a key → stays nothing", () => expect(redactorOf().value({ token: null })).toEqual({ token: null }))
  it("a Map's key → masked", () =>
    expect(
      redactorOf().value(
        new Map([
          ["password", "x"],
          ["a", "b"],
        ]),
      ),
    ).toEqual({ password: REDACTED, a: "b" }))
})

describe("a known secret in a value", () => {
  class Held {
    readonly inner = CANARY
  }
  it.each([
    ["field", { a: { b: [CANARY] } }],
    ["key", { [CANARY]: 1 }],
    ["Map", new Map([["a", CANARY]])],
    ["Map key", new Map([[CANARY, 1]])],
    ["Set", new Set([CANARY])],
    ["URL", new URL(`http://host/?q=${encodeURIComponent(CANARY)}`)],
    ["URLSearchParams", new URLSearchParams({ q: CANARY })],
    ["boxed string", new String(CANARY)],
    ["symbol", Symbol(CANARY)],
    ["pattern", { source: /s3cr3t\/\+="canary" ü\?/, text: CANARY }],
    ["class instance", new Held()],
    ["bytes", Buffer.from(CANARY)],
    ["error message", new Error(`bad ${CANARY}`)],
    ["error name", Object.assign(new Error("x"), { name: CANARY })],
    ["error code", Object.assign(new Error("x"), { code: CANARY })],
    ["error reason", Object.assign(new Error("x"), { reason: CANARY })],
    ["error cause", new Error("x", { cause: new Error("y", { cause: { a: CANARY } }) })],
    ["errors of an AggregateError", new AggregateError([new Error(CANARY)], "all")],
    ["request on an error", Object.assign(new Error("x"), { config: { headers: { authorization: CANARY } } })],
    ["function with a toJSON", { toJSON: Object.assign(() => CANARY, {}) }],
    [
      "getter",
      {
        get a() {
          return CANARY
        },
      },
    ],
  ])("%s → never appears", (_, value) => {
    const text = clean(value)
    expect(text).not.toContain("s3cr3t")
    expect(text).not.toContain(encodeURIComponent("s3cr3t/"))
    expect(inspect(redactorOf(CANARY).value(value), { depth: 20 })).not.toContain("s3cr3t")
  })

  it("the password of a URL object that nobody declared → masked", () =>
    expect(redactorOf().value(new URL("redis://u:unknown-pw@h/0"))).toBe(`redis://u:${REDACTED}@h/0`))
})

describe("a copy", () => {
  it("of an error → type, message, code, stack, cause", () => {
    const copy = redactorOf().value(Object.assign(new TypeError("no", { cause: "why" }), { code: "E1" })) as Record<string, unknown>
    expect(copy).toMatchObject({ type: "TypeError", message: "no", code: "E1", cause: "why" })
    expect(copy.stack).toContain("redact.test.ts")
  })
  it("of an error without stacks → no stack, in causes neither", () =>
    expect(JSON.stringify(redactorOf().value(new Error("a", { cause: new Error("b") }), { stacks: false }))).not.toContain("redact.test"))
  it("of a date, an invalid date, a bigint → texts", () =>
    expect(redactorOf().value([new Date(0), new Date(Number.NaN), 12n])).toEqual(["1970-01-01T00:00:00.000Z", "Invalid Date", "12"]))
  it("of a cycle → [circular]", () => {
    const cycle: Record<string, unknown> = { a: 1 }
    cycle.self = cycle
    expect(redactorOf().value(cycle)).toEqual({ a: 1, self: "[circular]" })
  })
  it("of an error that is its own cause → ends", () => {
    const error = new Error("x")
    error.cause = error
    expect(redactorOf().value(error)).toMatchObject({ cause: "[circular]" })
  })
  it("of the same object twice → twice", () => {
    const shared = { a: 1 }
    expect(redactorOf().value([shared, shared])).toEqual([{ a: 1 }, { a: 1 }])
  })
  it("of a getter that throws → [unreadable], the rest stays", () => {
    const value = {
      a: 1,
      get b(): never {
        throw new Error("no")
      },
    }
    expect(redactorOf().value(value)).toEqual({ a: 1, b: "[unreadable]" })
  })
  it("of an error whose message throws → [unreadable]", () => {
    const error = Object.defineProperty(new Error("x"), "message", {
      get() {
        throw new Error("no")
      },
    })
    expect(redactorOf().value({ error })).toEqual({ error: "[unreadable]" })
  })
  it("of a proxy that refuses everything → [unreadable]", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(redactorOf().value({ proxy })).toEqual({ proxy: "[unreadable]" })
  })
  it("of an own __proto__ → a key like any other", () => {
    const copy = redactorOf().value(JSON.parse('{"__proto__":{"isAdmin":true}}')) as Record<string, unknown>
    expect(copy.isAdmin).toBeUndefined()
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"isAdmin":true}}')
  })
  it("of something wide → 100 entries and the number of the others", () => {
    const list = redactorOf().value(Array(1_000).fill(1)) as unknown[]
    expect(list).toHaveLength(101)
    expect(list.at(-1)).toBe("[900 more]")
    expect(redactorOf().value(Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`k${i}`, i])))).toHaveProperty(["[more]"], 50)
  })
  it("of something deep → ends", () => {
    let deep: unknown = CANARY
    for (let i = 0; i < 10_000; i++) deep = { deep }
    expect(clean(deep)).toContain("[deeper]")
  })
  it("of a value that fans out at every depth → bounded", () => {
    let wide: unknown = 1
    for (let i = 0; i < 8; i++) wide = Array(100).fill(wide)
    expect(clean(wide).length).toBeLessThan(20_000)
  })
  it("of many long texts → bounded", () => {
    const texts = Array.from({ length: 90 }, () => "x".repeat(8_000))
    expect(clean(texts).length).toBeLessThan(80_000)
  })
  it("changes nothing in the original", () => {
    const value = { token: "abc", list: [CANARY] }
    redactorOf(CANARY).value(value)
    expect(value).toEqual({ token: "abc", list: [CANARY] })
  })
})
