import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { cache } from "../backends/cache.ts"
import { code } from "../backends/code.ts"
import { type DeferOptions, defer } from "../backends/defer.ts"
import { fallback } from "../backends/fallback.ts"
import { flow } from "../backends/flow.ts"
import { lastGood } from "../backends/last-good.ts"
import { placeholder } from "../backends/placeholder.ts"
import { value } from "../backends/value.ts"
import { callerPlace } from "../base/source-place.ts"
import { asFile, raw, rest } from "../connectors/rest/index.ts"
import { sqlite } from "../connectors/sqlite/index.ts"
import type { Backend } from "../contract/backend.ts"
import { type FileOptions, file } from "../contract/file.ts"
import type { Finding } from "../contract/finding.ts"
import { op } from "../contract/op.ts"
import type { Defaults } from "../contract/policy.ts"
import { anyone, role } from "../contract/principal.ts"
import { env } from "../contract/reference.ts"
import { nothing } from "../contract/schema.ts"
import { stream } from "../contract/stream.ts"
import { topic } from "../contract/topic.ts"
import { checkDeclarations } from "./check.ts"
import { FINDINGS } from "./findings.ts"

const crm = rest({ url: env("CRM_URL") })
const billing = rest({ url: env("BILLING_URL") })
const crmEu = rest({ url: env("CRM_EU_URL"), replicaOf: crm })
const Note = z.object({ id: z.string(), text: z.string() })
const NewNote = z.object({ text: z.string() })
const None = z.object({})
const Day = z.object({ day: z.iso.date() })
// What a mapping is, as far as this floor can see: a function with a face.
const day = (format: string): { read: () => { day: string } } => {
  const mistakes = format.includes("yyyy") ? [] : ["day: years of two digits need a pivot"]
  const face = { run: () => ({ day: "2026-01-01" }), mistakes, at: callerPlace(day) }
  return { read: Object.assign(() => ({ day: "2026-01-01" }), { "~mapping": face }) }
}
const list = { input: None, output: z.array(Note) }
const open = { ...list, allow: anyone("public") }

const find = (ops: unknown, defaults: Defaults = {}): readonly Finding[] => checkDeclarations(ops, defaults).findings
const codesOf = (ops: unknown, defaults: Defaults = {}): string[] => find(ops, defaults).map((one) => one.code)

const added = topic("note.added", Note)
const changed = topic("note.changed", Note, { key: ({ id }) => id })
const deferringConsumer = (options: DeferOptions<z.infer<typeof Note>, void>) =>
  op({ on: changed, effect: "write", repeat: "natural", input: Note, output: nothing }).via(
    fallback(
      crm.call("PUT /notes/{id}", { map: () => undefined }),
      defer(() => undefined, options),
    ),
  )
const consumerOf = (of: typeof added): object => op({ on: of, effect: "read", input: Note, output: nothing }).via(crm.call("GET /notes"))

const keyedSignUp = (token: z.ZodType<string | undefined>): object =>
  op({
    http: "POST /candidates",
    input: NewNote,
    output: z.object({ token }),
    allow: anyone("sign-up form"),
    repeat: "key",
  }).via(crm.call("POST /candidates"))

/**
 * Each code of operations: declarations that have it and nothing else, and the corrected ones. The wrong operation is called `wrong`.
 * What is wrong with pages is tested beside them.
 */
const CASES: Record<Exclude<keyof typeof FINDINGS, "TRS1039">, { wrong: () => object; right: () => object; noPlace?: true }> = {
  TRS1001: {
    wrong: () => ({
      all: op({ http: "GET /notes", ...open }).via(crm.call("GET /notes")),
      wrong: op({ http: "GET /notes", ...open }).via(crm.call("GET /r")),
    }),
    right: () => ({
      all: op({ http: "GET /notes", ...open }).via(crm.call("GET /notes")),
      wrong: op({ http: "GET /notes/r", ...open }).via(crm.call("GET /r")),
    }),
  },
  TRS1002: {
    wrong: () => ({ wrong: op({ http: "GET /notes", ...list }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ http: "GET /notes", ...open }).via(crm.call("GET /notes")) }),
  },
  TRS1003: {
    wrong: () => {
      const same = op({ effect: "read", ...list }).via(crm.call("GET /notes"))
      return { first: same, wrong: same }
    },
    right: () => ({ wrong: op({ effect: "read", ...list }).via(crm.call("GET /notes")) }),
  },
  TRS1004: {
    wrong: () => ({ wrong: op({ http: "GET /teams/{team}", ...open }).via(crm.call("GET /notes")) }),
    right: () => ({
      wrong: op({ http: "GET /teams/{team}", ...open, input: z.object({ team: z.string() }), anyObject: "public" }).via(
        crm.call("GET /notes"),
      ),
    }),
  },
  TRS1005: {
    wrong: () => ({
      wrong: op({ http: "GET /one", input: z.object({ noteId: z.string() }), output: Note, allow: role("r") }).via(crm.call("GET /n")),
    }),
    right: () => {
      const load = op({ effect: "read", input: z.object({ noteId: z.string() }), output: Note }).via(crm.call("GET /n"))
      return {
        load,
        wrong: op({
          http: "GET /one",
          input: z.object({ noteId: z.string() }),
          output: Note,
          allow: role("r"),
          owner: { load, is: (row, who) => row.id === who.id },
        }).via(crm.call("GET /n")),
      }
    },
  },
  TRS1006: {
    wrong: () => ({ wrong: op(list).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ ...list, effect: "read" }).via(crm.call("GET /notes")) }),
  },
  TRS1007: {
    wrong: () => ({ wrong: op({ effect: "read", input: None, output: z.date() }).via(code(() => new Date())) }),
    right: () => ({ wrong: op({ effect: "read", input: None, output: z.iso.datetime() }).via(code(() => new Date().toISOString())) }),
  },
  TRS1008: {
    wrong: () => ({ wrong: op({ effect: "read", input: None, output: z.number().max(9) }).via(placeholder(10, "waiting")) }),
    right: () => ({ wrong: op({ effect: "read", input: None, output: z.number().max(9) }).via(placeholder(9, "waiting")) }),
  },
  TRS1009: {
    wrong: () => ({
      wrong: op({ effect: "write", input: NewNote, output: Note }).via(fallback(crm.call("POST /n"), value({ id: "", text: "" }))),
    }),
    right: () => ({ wrong: op({ effect: "write", input: NewNote, output: Note }).via(crm.call("POST /n")) }),
  },
  TRS1010: {
    wrong: () => ({
      wrong: op({ effect: "write", input: NewNote, output: Note }).via(fallback(crm.call("POST /n"), billing.call("POST /n"))),
    }),
    right: () => ({
      wrong: op({ effect: "write", input: NewNote, output: Note }).via(fallback(crm.call("POST /n"), crmEu.call("POST /n"))),
    }),
  },
  TRS1011: {
    wrong: () => ({ wrong: op({ http: "GET /docs/all", ...open }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ http: "GET /documents/all", ...open }).via(crm.call("GET /notes")) }),
  },
  TRS1012: {
    wrong: () => ({ wrong: op({ effect: "read", ...list, deadline: "soon" as "1s" }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ effect: "read", ...list, deadline: "15s" }).via(crm.call("GET /notes")) }),
  },
  TRS1013: {
    wrong: () => ({ wrong: crm }),
    right: () => ({ wrong: op({ effect: "read", ...list }).via(crm.call("GET /notes")) }),
    noPlace: true,
  },
  TRS1014: {
    wrong: () => ({ wrong: op({ effect: "read", ...list }).via(crm.call("GET notes" as "GET /notes")) }),
    right: () => ({ wrong: op({ effect: "read", ...list }).via(crm.call("GET /notes")) }),
  },
  TRS1015: {
    wrong: () => ({ wrong: op({ http: "GET /notes", ...open, input: z.string() }).via(code(() => [])) }),
    right: () => ({ wrong: op({ http: "GET /notes", ...open, input: NewNote }).via(code(() => [])) }),
  },
  TRS1016: {
    wrong: () => ({ wrong: op({ effect: "read", ...list }) }),
    right: () => ({ wrong: op({ effect: "read", ...list, examples: [{ input: {}, output: [] }] }) }),
  },
  TRS1017: {
    wrong: () => {
      const load = op({ effect: "read", input: z.object({ id: z.string() }), output: Note }).via(crm.call("GET /n"))
      const owner = { load, is: () => true }
      return {
        wrong: op({ http: "GET /one", input: z.object({ id: z.string() }), output: Note, allow: role("r"), owner }).via(crm.call("GET /n")),
      }
    },
    right: () => {
      const load = op({ effect: "read", input: z.object({ id: z.string() }), output: Note }).via(crm.call("GET /n"))
      const owner = { load, is: () => true }
      return {
        load,
        wrong: op({ http: "GET /one", input: z.object({ id: z.string() }), output: Note, allow: role("r"), owner }).via(crm.call("GET /n")),
      }
    },
  },
  TRS1018: {
    wrong: () => ({ wrong: op({ effect: "read", ...list, deadline: "6s" }).via(fallback(crm.call("GET /notes"), value([]))) }),
    right: () => ({ wrong: op({ effect: "read", ...list, deadline: "6001ms" }).via(fallback(crm.call("GET /notes"), value([]))) }),
  },
  TRS1025: {
    wrong: () => ({ wrong: op({ effect: "read", input: None, output: Day }).via(crm.call("GET /day", { map: day("d/M/yy").read })) }),
    right: () => ({ wrong: op({ effect: "read", input: None, output: Day }).via(crm.call("GET /day", { map: day("d/M/yyyy").read })) }),
  },
  TRS1026: {
    wrong: () => ({ wrong: op({ effect: "read", ...list, drift: "repair" }).via(crm.call("GET /notes", { map: () => [] })) }),
    right: () => ({
      wrong: op({ effect: "read", input: None, output: Day, drift: "repair" }).via(crm.call("GET /day", { map: day("d/M/yyyy").read })),
    }),
  },
  TRS1027: {
    wrong: () => ({ wrong: op({ effect: "write", ...list, etag: true }).via(crm.call("POST /notes")) }),
    right: () => ({ wrong: op({ effect: "read", ...list, etag: true }).via(crm.call("GET /notes")) }),
  },
  TRS1028: {
    wrong: () => ({ wrong: op({ effect: "read", ...list }).via(fallback(lastGood({ for: "1h" }), crm.call("GET /notes"))) }),
    right: () => ({ wrong: op({ effect: "read", ...list }).via(fallback(crm.call("GET /notes"), lastGood({ for: "1h" }))) }),
  },
  TRS1029: {
    wrong: () => ({
      wrong: op({ effect: "read", input: None, output: stream(Note) }).via(
        cache(
          { for: "30s" },
          code(async function* () {}),
        ),
      ),
    }),
    right: () => ({ wrong: op({ effect: "read", ...list }).via(cache({ for: "30s" }, crm.call("GET /notes"))) }),
  },
  TRS1030: {
    wrong: () => ({ wrong: op({ effect: "write", input: file({ limit: "large" }), output: nothing }).via(code(() => {})) }),
    right: () => ({ wrong: op({ effect: "write", input: file({ limit: "20mb" }), output: nothing }).via(code(() => {})) }),
  },
  TRS1031: {
    wrong: () => ({ wrong: op({ effect: "read", input: None, output: z.string() }).via(crm.call("GET /report", { answer: asFile })) }),
    right: () => ({ wrong: op({ effect: "read", input: None, output: file() }).via(crm.call("GET /report", { answer: asFile })) }),
  },
  TRS1032: {
    wrong: () => ({
      wrong: op({ effect: "write", input: file(), output: nothing }).via(
        fallback(crm.call("POST /a", { body: raw((i) => i.file) }), crmEu.call("POST /a", { body: raw((i) => i.file) })),
      ),
    }),
    right: () => ({
      wrong: op({ effect: "write", input: file(), output: nothing }).via(crm.call("POST /a", { body: raw((i) => i.file) })),
    }),
  },
  TRS1035: {
    wrong: () => ({ wrong: op({ effect: "read", ...list, was: ["not a path"] }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ effect: "read", ...list, was: ["notes.all"] }).via(crm.call("GET /notes")) }),
  },
  TRS1036: {
    wrong: () => ({
      wrong: op({ effect: "read", ...list, deprecated: { sunset: "2999-01-31", use: "gone" } }).via(crm.call("GET /notes")),
    }),
    right: () => ({
      newer: op({ effect: "read", ...list }).via(crm.call("GET /notes")),
      wrong: op({ effect: "read", ...list, deprecated: { sunset: "2999-01-31", use: "newer" } }).via(crm.call("GET /notes")),
    }),
  },
  TRS1037: {
    wrong: () => ({ wrong: op({ effect: "read", ...list, deprecated: { sunset: "2999-02-30" } }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ effect: "read", ...list, deprecated: { sunset: "2999-02-28" } }).via(crm.call("GET /notes")) }),
  },
  TRS1038: {
    wrong: () => ({ wrong: op({ effect: "read", ...list, deprecated: { sunset: "2020-01-31" } }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ effect: "read", ...list, deprecated: { sunset: "2999-01-31" } }).via(crm.call("GET /notes")) }),
  },
  TRS1040: {
    wrong: () => ({ wrong: op({ effect: "write", ...list }).via(crm.call("GET /notes", { policy: { hedge: "200ms" } })) }),
    right: () => ({ wrong: op({ effect: "read", ...list }).via(crm.call("GET /notes", { policy: { hedge: "200ms" } })) }),
  },
  TRS1046: {
    wrong: () => ({ wrong: op({ on: added, effect: "write", input: Note, output: nothing }).via(crm.call("POST /notes")) }),
    right: () => ({
      wrong: op({ on: added, effect: "write", repeat: "natural", input: Note, output: nothing }).via(crm.call("POST /notes")),
    }),
  },
  TRS1047: {
    wrong: () => ({ first: consumerOf(added), wrong: consumerOf(topic("note.added", Note, { version: 2 })) }),
    right: () => ({ first: consumerOf(added), wrong: consumerOf(topic("note.added", Note)) }),
  },
  TRS1048: {
    wrong: () => ({ wrong: op({ every: { cron: "every day" }, effect: "read", ...list }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ every: { cron: "0 3 * * *" }, effect: "read", ...list }).via(crm.call("GET /notes")) }),
  },
  TRS1050: {
    wrong: () => ({ wrong: op({ effect: "read", repeat: "key", ...list }).via(crm.call("GET /notes")) }),
    right: () => ({ wrong: op({ effect: "write", repeat: "key", ...list }).via(crm.call("POST /notes")) }),
  },
  TRS1051: {
    wrong: () => ({ wrong: keyedSignUp(z.string().meta({ format: "password" })) }),
    right: () => ({ wrong: keyedSignUp(z.string().meta({ format: "password" }).optional()) }),
  },
  TRS1052: {
    wrong: () => ({
      wrong: op({ effect: "read", ...list }).via(
        fallback(
          crm.call("GET /notes"),
          defer(() => []),
        ),
      ),
    }),
    right: () => ({
      wrong: op({ effect: "write", ...list }).via(
        fallback(
          crm.call("GET /notes"),
          defer(() => []),
        ),
      ),
    }),
  },
  TRS1053: {
    wrong: () => ({ wrong: op({ effect: "write", ...list }).via(flow(async () => [], { grants: [keyedSignUp(z.string()) as never] })) }),
    right: () => {
      const granted = keyedSignUp(z.string())
      return { granted, wrong: op({ effect: "write", ...list }).via(flow(async () => [], { grants: [granted as never] })) }
    },
  },
  TRS1054: {
    wrong: () => ({ wrong: op({ effect: "write", ...list }).via(flow(async () => [], { databases: [sqlite({ file: "a.db" })] })) }),
    right: () => ({
      wrong: op({ effect: "write", ...list }).via(flow(async () => [], { databases: [sqlite({ file: "a.db", outbox: true })] })),
    }),
  },
  TRS1055: {
    wrong: () => ({
      wrong: op({ effect: "write", input: z.object({ pin: z.string().meta({ format: "password" }) }), output: nothing }).via(
        flow(async () => undefined),
      ),
    }),
    right: () => ({
      wrong: op({ effect: "write", input: z.object({ pin: z.string() }), output: nothing }).via(flow(async () => undefined)),
    }),
  },
  TRS1070: {
    wrong: () => ({ wrong: deferringConsumer({}) }),
    right: () => ({ wrong: deferringConsumer({ key: ({ id }) => id }) }),
  },
}

describe.each(Object.entries(CASES))("%s", (its, { wrong, right, noPlace }) => {
  test("wrong → exactly this finding, with place, excerpt, reason and fix", () => {
    const found = find(wrong())
    expect(found.map((one) => one.code)).toEqual([its])
    const { message, at, line, file, excerpt, why, fix, severity } = found[0]!
    expect(message).toContain("wrong")
    const kind = FINDINGS[its as keyof typeof FINDINGS]
    expect([why, severity]).toEqual([kind.why, "severity" in kind ? kind.severity : "error"])
    expect(fix.length).toBeGreaterThan(10)
    if (noPlace) return
    expect([at, file]).toEqual([`${import.meta.filename}:${line}`, import.meta.filename])
    const marked = excerpt.split("\n").find((shown) => shown.startsWith(">"))
    expect(marked).toMatch(new RegExp(`^>\\s+${line} \\|.* op\\(`))
  })
  test("corrected → none", () => expect(find(right())).toEqual([]))
})

test("many mistakes → all of them at once, also in one operation", () => {
  const all = Object.fromEntries(Object.entries(CASES).map(([its, { wrong }]) => [its.toLowerCase(), wrong()]))
  const extra = { both: op({ http: "GET /docs", input: z.string(), output: z.array(Note), deadline: "x" as "1s" }) }
  const found = codesOf({ ...all, extra }, { reads: { concurrency: 0 }, deadline: "y" as "1s", bodyLimit: "z" })
  expect([...new Set(found)].sort()).toEqual(Object.keys(CASES))
  expect(codesOf({ extra }).sort()).toEqual(["TRS1002", "TRS1011", "TRS1012", "TRS1015", "TRS1016"])
})

describe("names", () => {
  const one = op({ effect: "read", ...list }).via(crm.call("GET /notes"))
  test.each(["then", "safe", "detailed", "toJSON", "constructor", "prototype", "list-notes", "1st", "a.b", "", "_x"])(
    '"%s" → refused, as operation and as group',
    (name) => {
      expect(codesOf({ [name]: one })).toEqual(["TRS1013"])
      expect(codesOf({ group: { [name]: one } })).toEqual(["TRS1013"])
      expect(codesOf({ [name]: { one } })).toEqual(["TRS1013"])
    },
  )
  test("__proto__ as an own name → refused", () => {
    expect(codesOf(Object.defineProperty({}, "__proto__", { value: one, enumerable: true }))).toEqual(["TRS1013"])
  })
  test("a module's namespace → a group", () => {
    expect(find({ notes: Object.assign(Object.create(null), { one }) })).toEqual([])
  })
})

describe("a GET or DELETE without body", () => {
  const inner = z.object({ from: z.string() })
  const Tree: z.ZodType = z.lazy(() => z.object({ children: z.array(Tree) }))
  const withField = (field: z.ZodType, http: "GET /notes" | "DELETE /notes" | "POST /notes" = "GET /notes") =>
    codesOf({ one: op({ http, input: z.object({ field }), output: z.array(Note), allow: anyone("public") }).via(code(() => [])) })
  test.each<[string, z.ZodType]>([
    ["an object", inner],
    ["an object that may be left out", inner.optional()],
    ["an object or text", z.union([z.string(), inner])],
    ["a list of objects", z.array(inner)],
    ["a list of lists", z.array(z.array(z.string()))],
    ["a record", z.record(z.string(), z.string())],
    ["a tuple with an object", z.tuple([z.string(), inner])],
    ["something recursive", Tree],
  ])("%s → TRS1015", (_what, field) => {
    expect(withField(field)).toEqual(["TRS1015"])
    expect(withField(field, "DELETE /notes")).toEqual(["TRS1015"])
    expect(withField(field, "POST /notes")).toEqual([])
  })
  test.each<[string, z.ZodType]>([
    ["text", z.string()],
    ["a number or nothing", z.number().nullable()],
    ["a list of texts", z.array(z.string())],
    ["one of some words", z.enum(["a", "b"])],
    ["anything", z.any()],
  ])("%s → none", (_what, field) => expect(withField(field)).toEqual([]))
})

describe("time for a fallback", () => {
  const slow = rest({ url: env("SLOW_URL"), policy: { timeout: "3s", retry: 1 } })
  const read = (deadline: "5s" | "6s" | "7s" | "13s", ...parts: [Backend<any, any>, ...Backend<any, any>[]]) =>
    codesOf({ one: op({ effect: "read", ...list, deadline }).via(fallback(...parts) as Backend<any, any>) })
  test("attempts × timeout reach the deadline → warned, and only once", () => {
    expect(read("6s", slow.call("GET /a"), crm.call("GET /b"), value([]))).toEqual(["TRS1018"])
    expect(read("7s", slow.call("GET /a"), value([]))).toEqual([])
  })
  test("several before it → their sum", () => {
    expect(read("13s", slow.call("GET /a"), slow.call("GET /b"), value([]))).toEqual([])
    expect(read("7s", slow.call("GET /a"), slow.call("GET /b"), value([]))).toEqual(["TRS1018"])
  })
  test("the call's own policy is closer than the service's", () => {
    expect(read("6s", slow.call("GET /a", { policy: { retry: 0 } }), value([]))).toEqual([])
  })
  test("code and placeholders take no time that is known; a write falls back only after what was quick", () => {
    expect(
      read(
        "5s",
        code(() => []),
        value([]),
      ),
    ).toEqual([])
    const write = op({ effect: "write", input: NewNote, output: Note, deadline: "1s" }).via(
      fallback(crm.call("POST /n"), crmEu.call("POST /n")),
    )
    expect(codesOf({ write })).toEqual([])
  })
  test("a warning does not refuse: its operation is among those that can be started", () => {
    const { operations } = checkDeclarations(CASES.TRS1018.wrong(), {})
    expect(operations.map(({ path }) => path)).toEqual(["wrong"])
  })
})

describe("answers that are kept", () => {
  const read = { effect: "read", ...list } as const
  test("cache and lastGood on a write → TRS1009 each", () => {
    const wrong = op({ ...read, effect: "write" }).via(fallback(cache({ for: "1s" }, crm.call("POST /notes")), lastGood({ for: "1s" })))
    expect(codesOf({ wrong })).toEqual(["TRS1009", "TRS1009"])
  })
  test("lastGood alone, or in a cache → TRS1028", () => {
    expect(codesOf({ wrong: op(read).via(lastGood({ for: "1h" })) })).toEqual(["TRS1028"])
    expect(codesOf({ wrong: op(read).via(cache({ for: "1m" }, lastGood({ for: "1h" }))) })).toEqual(["TRS1028"])
  })
  test("options that mean nothing → TRS1014 that names them", () => {
    const wrong = { for: "soon", stale: "later", entries: 0, key: "id", shared: false } as never
    const said = find({ wrong: op(read).via(cache(wrong, crm.call("GET /notes"))) }).map(({ message }) => message)
    expect(said.map((one) => /: (for|stale|entries|key|shared) /.exec(one)?.[1]).sort()).toEqual([
      "entries",
      "for",
      "key",
      "shared",
      "stale",
    ])
  })
  test("the time of what stands in a cache counts", () => {
    const wrong = op({ ...read, deadline: "6s" }).via(fallback(cache({ for: "1m" }, crm.call("GET /notes")), value([])))
    expect(codesOf({ wrong })).toEqual(["TRS1018"])
  })
  test("an etag where the answer is nothing → TRS1027", () => {
    const silent = op({ effect: "read", input: None, output: nothing, etag: true }).via(crm.call("GET /ping"))
    expect(codesOf({ wrong: silent })).toEqual(["TRS1027"])
  })
})

/** Stands for a hostile value while a tree is made: the library that makes it would stumble over the value itself. */
class Hole {
  readonly at: number
  constructor(at: number) {
    this.at = at
  }
}

function filled(tree: unknown, values: readonly unknown[]): unknown {
  if (tree instanceof Hole) return values[tree.at]
  if (Array.isArray(tree)) return tree.map((one) => filled(one, values))
  if (typeof tree !== "object" || tree === null || ![Object.prototype, null].includes(Object.getPrototypeOf(tree))) return tree
  const copy = {}
  for (const [key, one] of Object.entries(tree))
    Object.defineProperty(copy, key, { value: filled(one, values), enumerable: true, configurable: true, writable: true })
  return copy
}

describe("kept work", () => {
  const scheduled = (contract: object): object => ({
    wrong: op({ every: "15m", effect: "read", ...list, ...contract }).via(crm.call("GET /notes")),
  })
  const consumer = (contract: object): object => ({
    wrong: op({ on: added, effect: "read", input: Note, output: nothing, ...contract } as never).via(crm.call("GET /notes")),
  })

  test("a scheduled write that may not be repeated → TRS1046", () => expect(codesOf(scheduled({ effect: "write" }))).toEqual(["TRS1046"]))
  test("a schedule whose input nobody would fill → TRS1048", () => expect(codesOf(scheduled({ input: NewNote }))).toEqual(["TRS1048"]))
  test("a schedule with an optional input → no finding", () =>
    expect(codesOf(scheduled({ input: z.object({ text: z.string().optional() }) }))).toEqual([]))
  test("a schedule with no input → no finding", () => expect(codesOf(scheduled({ input: nothing }))).toEqual([]))
  test.each(["1 day", "500ms", 0])("a schedule of %j → TRS1048", (every) => expect(codesOf(scheduled({ every }))).toEqual(["TRS1048"]))
  const long = "199999999d"
  const noted = () => ({ id: "1", text: "" })
  test.each<[string, object]>([
    ["every", scheduled({ every: long })],
    ["delivery: backoff", consumer({ delivery: { backoff: long } })],
    ["deadline", scheduled({ deadline: long })],
    [
      "defer: expires",
      {
        wrong: op({ effect: "write", input: NewNote, output: Note }).via(
          fallback(crm.call("POST /notes"), defer(noted, { expires: long })),
        ),
      },
    ],
    ["flow: within", { wrong: op({ effect: "write", input: NewNote, output: Note }).via(flow(async () => noted(), { within: long })) }],
  ])("%s of more days than a calendar has → a finding that names the longest", (name, tree) =>
    expect(find(tree).map(({ message }) => message)).toEqual([
      expect.stringMatching(new RegExp(`^wrong: ${name}[^a-z].*is longer than 3650 days$`)),
    ]),
  )
  test("a zone that does not exist → TRS1048", () =>
    expect(codesOf(scheduled({ every: { cron: "0 3 * * *", zone: "Mars/Olympus" } }))).toEqual(["TRS1048"]))
  test("a consumer that answers a stream → TRS1048", () => expect(codesOf(consumer({ output: stream(Note) }))).toContain("TRS1048"))
  test("delivery without messages and schedule → TRS1048", () =>
    expect(codesOf(consumer({ on: undefined, delivery: { times: 3 } }))).toEqual(["TRS1048"]))
  test("delivery: no run at all → TRS1012", () => expect(codesOf(consumer({ delivery: { times: 0 } }))).toEqual(["TRS1012"]))
  test("delivery: a backoff that is no duration → TRS1012", () =>
    expect(codesOf(consumer({ delivery: { backoff: "soon" } }))).toEqual(["TRS1012"]))
  test("a topic without a version → TRS1012", () =>
    expect(codesOf({ wrong: consumerOf(topic("note.added", Note, { version: 0 })) })).toEqual(["TRS1012"]))
  test("two payloads under one name → TRS1047", () =>
    expect(codesOf({ first: consumerOf(added), wrong: consumerOf(topic("note.added", Note.partial()) as never) })).toEqual(["TRS1047"]))
  test("a consumer with an http entrance → no finding", () =>
    expect(codesOf(consumer({ http: "POST /notes", allow: anyone("public"), anyObject: "notes are nobody's", repeat: "natural" }))).toEqual(
      [],
    ))
})

describe("never throws", () => {
  const hostile = (): Record<string, unknown> => {
    const boom = (): never => {
      throw new Error("boom")
    }
    const cycle: Record<string, unknown> = {}
    cycle.again = cycle
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const endless: object = new Proxy({}, { ownKeys: () => ["more"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }), get: () => endless })
    const fresh = (): object => new Proxy({}, { ownKeys: () => ["more"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }), get: fresh })
    const self: { kind: string; plan: { parts: unknown[] } } = { kind: "self", plan: { parts: [] } }
    self.plan.parts.push(self)
    return {
      getter: { get broken(): never { return boom() } },
      thrower: { get broken(): never { throw { get message(): never { return boom() }, toString: boom } } },
      cycle,
      revoked: revoked.proxy,
      endless,
      fresh: fresh(),
      trap: new Proxy({}, { ownKeys: boom, has: boom, get: boom, getPrototypeOf: boom, getOwnPropertyDescriptor: boom }),
      noDeclaration: { "~op": null },
      noContract: { "~op": {} },
      opGetter: { get "~op"(): never { return boom() } },
      contractGetter: { "~op": { contract: { input: None, output: None, get http(): never { return boom() } }, backend: null, at: null } },
      selfMade: { "~op": { contract: { effect: "read", input: None, output: None }, backend: self, at: null } },
      place: { "~op": { contract: { effect: "read", input: None, output: None }, backend: null, at: { file: "file://%zz", line: -1 } } },
      placeGetter: { "~op": { contract: { effect: "read", input: None, output: None }, backend: null, get at(): never { return boom() } } },
    }
  } // biome-ignore format: one line each
  test.each(Object.keys(hostile()))("%s → a finding, and the others are checked all the same", (name) => {
    const found = find({ hostile: hostile()[name], fine: CASES.TRS1006.wrong() })
    expect(found.length).toBeGreaterThan(1)
    expect(found.map(({ message }) => message).join("\n")).toContain("fine.wrong")
    for (const { message, at, why, fix } of found)
      expect([message, at, why, fix].every((text) => typeof text === "string" && text !== "")).toBe(true)
  })
  test.each([null, undefined, 7, "ops", Symbol("ops"), () => ({}), []])("ops: %s → no error", (ops) => {
    expect(() => checkDeclarations(ops, {})).not.toThrow()
  })
  test("defaults that are no defaults → a finding", () => {
    for (const defaults of [null, { reads: null }, { reads: 7 }, { deadline: {} }, { reads: { retry: null } }])
      expect(() => checkDeclarations({}, defaults as never)).not.toThrow()
    expect(codesOf({}, null as never)).toEqual(["TRS1013"])
  })
  test("random broken trees", () => {
    const values = [None, z.string(), z.date(), crm, value(1), placeholder(1, "why"), crm.call("GET /x"), ...Object.values(hostile())]
    const junk = fc.oneof(
      fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, withSparseArray: true }),
      fc.nat(values.length - 1).map((at) => new Hole(at)),
    )
    const contract = fc.record(
      {
        http: fc.oneof(fc.constantFrom("GET /a", "POST /a/{id}", "GET /docs"), junk),
        input: fc.oneof(fc.constantFrom(None, NewNote, Note), junk),
        output: fc.oneof(fc.constantFrom(None, NewNote, Note), junk),
        allow: junk,
        owner: junk,
        errors: fc.oneof(fc.constant({ GONE: 410 }), junk),
        effect: fc.oneof(fc.constantFrom("read", "write"), junk),
        deadline: junk,
        status: junk,
        examples: fc.oneof(fc.array(fc.record({ input: junk, output: junk }, { requiredKeys: [] })), junk),
      },
      { requiredKeys: [] },
    )
    const plan = fc.record(
      {
        parts: junk,
        policy: junk,
        service: junk,
        fallsBack: junk,
        samples: junk,
        sampleFor: junk,
        mistakes: junk,
        placeholder: junk,
        isForReadsOnly: junk,
      },
      { requiredKeys: [] },
    )
    const declared = fc.record({ contract: fc.oneof(contract, junk), backend: fc.oneof(fc.record({ kind: junk, plan }), junk), at: junk })
    const operation = declared.map((declaration) => ({ "~op": declaration }))
    const tree = fc.letrec((tie) => ({
      tree: fc.dictionary(
        fc.oneof(fc.constantFrom("a", "b", "then", "group"), fc.string()),
        fc.oneof({ maxDepth: 3 }, operation, junk, tie("tree")),
      ),
    })).tree
    fc.assert(
      fc.property(tree, junk, (ops, defaults) => {
        const { findings } = checkDeclarations(filled(ops, values), filled(defaults, values) as Defaults)
        for (const one of findings) expect(`${one.code}${one.message}${one.at}${one.fix}`.length).toBeGreaterThan(20)
      }),
      { numRuns: 250 },
    )
  })
})

describe("files and streams", () => {
  const up = { http: "POST /up", allow: anyone("public"), output: nothing } as const
  const messagesOf = (ops: unknown): string[] => find(ops).map(({ code, message }) => `${code} ${message}`)

  test.each([
    [{ types: ["pdf"] }, '"pdf" is no media type'],
    [{ fields: z.object({ file: z.string() }) }, "fields declares `file`"],
    [{ fields: z.object({ where: z.object({ x: z.number() }) }) }, "the field where holds objects"],
  ] as [FileOptions<any>, string][])("file(%j) → TRS1030 that says what", (options, what) => {
    expect(messagesOf({ wrong: op({ ...up, input: file(options) }).via(code(() => {})) })).toEqual([expect.stringContaining(what)])
  })
  test("a file on GET → TRS1030", () => {
    const wrong = op({ ...up, http: "GET /up", input: file() }).via(code(() => {}))
    expect(messagesOf({ wrong })).toEqual(["TRS1030 wrong: GET carries no file"])
  })
  test("a stream as an input → TRS1030", () => {
    const wrong = op({ ...up, input: stream(Note) }).via(code(() => {}))
    expect(messagesOf({ wrong })).toEqual(["TRS1030 wrong: stream() is for outputs"])
  })
  test("an item of an example that does not fit → TRS1008 that names it", () => {
    const examples = [{ input: {}, output: [{ id: "1", text: "a" }, { id: "2" } as never] }]
    const wrong = op({ effect: "read", input: None, output: stream(Note), examples }).via(code(() => []))
    expect(messagesOf({ wrong })).toEqual([expect.stringMatching(/^TRS1008 wrong: item 1 in the output of example 1 .*text/)])
  })
})

describe("a hedge", () => {
  const hedged = rest({ url: env("HEDGED_URL"), policy: { hedge: "200ms" } })
  test("in a service's policy → for its reads; its writes say nothing of it", () => {
    expect(codesOf({ add: op({ effect: "write", ...list }).via(hedged.call("GET /notes")) })).toEqual([])
  })
  test("in the defaults of writes → refused; in those of reads → not", () => {
    expect(codesOf({}, { writes: { hedge: "1s" } })).toEqual(["TRS1040"])
    expect(codesOf({}, { reads: { hedge: "1s" } })).toEqual([])
  })
  test("taken back by the call of a write → nothing to refuse", () => {
    expect(codesOf({ add: op({ effect: "write", ...list }).via(hedged.call("GET /notes", { policy: { hedge: false } })) })).toEqual([])
  })
})

describe("repeat: key", () => {
  const Upload = { input: file(), output: Note }
  test.each<[string, object]>([
    ["a file as its input", op({ effect: "write", repeat: "key", ...Upload }).via(crm.call("POST /notes"))],
    [
      "a file as its answer",
      op({ effect: "write", repeat: "key", input: NewNote, output: file() }).via(crm.call("POST /notes", { answer: asFile })),
    ],
    ["a stream as its answer", op({ effect: "write", repeat: "key", input: NewNote, output: stream(Note) }).via(code(() => []))],
  ])("%s → TRS1050", (_, wrong) => {
    expect(find({ wrong }).map(({ code }) => code)).toEqual(["TRS1050"])
  })

  test("a secret that only known callers are given → nothing to find", () => {
    const token = z.string().meta({ writeOnly: true })
    const ops = {
      wrong: op({
        http: "POST /tokens",
        input: NewNote,
        output: z.object({ token }),
        allow: role("admin"),
        repeat: "key",
      }).via(crm.call("POST /tokens")),
    }
    expect(find(ops)).toEqual([])
  })
})
