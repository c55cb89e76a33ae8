import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { type Row, rowsOf, tried } from "./faults-kit.ts"

const HEAD = `import { env, flow, op, rest, sql, sqlite, trestle } from "trestle"
import { z } from "zod"
const policy = { timeout: "500ms", retry: 0 } as const
const shop = rest({ url: env("SHOP_URL"), name: "shop", policy })
const Id = z.object({ id: z.string() })
const write = { effect: "write", input: Id, output: Id } as const
const look = op({ ...write, effect: "read" }).via(shop.call("GET /rooms/{id}"))
const reserve = op(write).via(shop.call("POST /rooms"))
const release = op({ ...write, repeat: "natural" }).via(shop.call("DELETE /rooms/{id}"))
const charge = op(write).via(shop.call("POST /charges"))
const refund = op({ ...write, repeat: "natural" }).via(shop.call("DELETE /charges/{id}"))
const post = op(write).via(shop.call("POST /letters"))
`

/** All steps ask one service; the last one cannot be taken back. */
const BOOK = `const book = op({ ...write, deadline: "3s" }).via(flow(async (i, s) => {
  await s.run(look, i)
  const room = await s.run(reserve, i, { name: "reserve", undo: (r) => s.run(release, r) })
  const paid = await s.run(charge, room, { undo: (p) => s.run(refund, p) })
  return s.run(post, paid, { name: "post" })
}))
`
const APP = `${HEAD}${BOOK}export const app = trestle({ name: "hotel", ops: { book, look, reserve, release, charge, refund, post } })\n`
const UNDO = ", { undo: (p) => s.run(refund, p) }"

const laterOf = (rows: readonly Row[]): Row[] => rows.filter(({ nth }) => nth !== null)
const seen = (rows: readonly Row[]): string[] =>
  rows.map(({ nth, fault, result, code, why }) => [nth, fault, result, code ?? "answer", why].join(" | "))

describe("later steps of a flow, at one service", () => {
  test("each has its undo, or is the last, or reads → each later write fails for itself, and what was done is undone in reverse", async () => {
    const { ran, rows, document } = await rowsOf(APP, ["book"])
    expect([ran.code, document.findings]).toEqual([0, []])
    expect(seen(laterOf(rows))).toEqual([
      "2 | resets the connection | held | PENDING | step 2 (charge) may have happened: it is parked for a person",
      "2 | rejects our credential | held | INTERNAL | step 2 (charge) failed; undone: reserve",
      "3 | resets the connection | held | PENDING | step post may have happened: it is parked for a person",
      "3 | rejects our credential | held | INTERNAL | step post failed; undone: 2 (charge), reserve",
    ])
    expect(laterOf(rows).at(-1)).toMatchObject({ step: "post", undone: ["2 (charge)", "reserve"], effects: 4 })
    expect(rows.find(({ fault, nth }) => nth === null && fault === "says 500")).toMatchObject({ step: "1 (look)", undone: [] })
  })

  test("an undo is missing → exit 1, TRS3028 names the step that stays and the fix", async () => {
    const { ran, rows, codes, document } = await rowsOf(APP.replace(UNDO, ""), ["book"])
    expect([ran.code, codes]).toEqual([1, ["TRS3028"]])
    expect(document.findings[0]).toMatchObject({
      severity: "error",
      message: "book: when shop rejects our credential in its write 3, step post fails, and what step 2 (charge) has done stays",
      fix: expect.stringContaining("{ undo: (answer) => s.run(cancel, answer) }"),
    })
    expect(seen(laterOf(rows)).at(-1)).toBe("3 | rejects our credential | broken | INTERNAL | step post failed; undone: reserve")
  })

  test("an undo that does nothing → says that it may stay: held", async () => {
    const { ran, rows } = await rowsOf(APP.replace(UNDO, ", { undo: async () => {} }"), ["book"])
    expect([ran.code, laterOf(rows).every(({ result }) => result === "held")]).toEqual([0, true])
  })

  test("an undo that the service refuses → not wholly undone: it goes on later", async () => {
    const app = APP.replace(UNDO, ", { undo: () => s.fail('NOT_FOUND') }")
    const { rows } = await rowsOf(app, ["book"])
    expect(seen(laterOf(rows)).at(-1)).toContain("| held | PENDING | step post failed; undoing 2 (charge), which goes on later")
  })

  test("a service that promises to take a repeat → asked again, and the flow is done", async () => {
    const app = APP.replace(
      '"POST /charges")',
      '"POST /charges", { repeat: { key: "Key" }, policy: { retry: { times: 1, backoff: "10ms" } } })',
    )
    const { rows } = await rowsOf(app, ["book"])
    expect(seen(laterOf(rows))[0]).toBe("2 | resets the connection | held | answer | sent 4 times, as 3 effects: the service promises so")
  })

  test("a step at another service that stays when this one fails from the first on → broken too", async () => {
    const app = APP.replace("const Id", 'const bank = rest({ url: env("BANK_URL"), name: "bank", policy })\nconst Id').replace(
      'shop.call("POST /letters")',
      'bank.call("POST /letters")',
    )
    const { codes, document } = await rowsOf(app.replace(UNDO, ""), ["book", "--service", "bank"])
    expect(new Set(codes)).toEqual(new Set(["TRS3028"]))
    expect(document.findings[0].message).toBe(
      "book: when bank refuses connections, step post fails, and what step 2 (charge) has done stays",
    )
  })

  test("a flow that is kept in memory alone → has no journal that tells of it: not tried so", async () => {
    const { rows } = await rowsOf(APP.replace("}))\nexport", '}, { durable: false, why: "test" }))\nexport'), ["book"])
    expect(laterOf(rows)).toEqual([])
  })
})

test("transactions of a SQLite file → the later ones are undone by transactions of their own, which are no doubles", async () => {
  const app = `${HEAD}
const db = sqlite({ file: env("DB"), outbox: true, migrate: "on start", migrations: [{ name: "0001-n", sql: "create table notes (id text)" }] })
const keep = (s, i, n) => s.transaction(db, async (t) => { await t.run(sql\`insert into notes (id) values (\${i.id + n})\`) },
  { name: n, undo: () => s.transaction(db, async (t) => { await t.run(sql\`delete from notes where id = \${i.id + n}\`) }) })
const three = op({ ...write, deadline: "3s" }).via(flow(async (i, s) => { for (const n of ["a", "b", "c"]) await keep(s, i, n); return i }, { databases: [db] }))
export const app = trestle({ name: "notes", ops: { three } })
`
  const { ran, rows } = await rowsOf(app)
  expect([ran.code, ran.stderr]).toEqual([0, ""])
  expect(seen(laterOf(rows))).toEqual([
    "2 | refuses a duplicate | held | CONFLICT | step b failed; undone: a",
    "3 | refuses a duplicate | held | CONFLICT | step c failed; undone: b, a",
  ])
})

test("for people and for CI: a title for each later write, a line for what failed and was undone", async () => {
  const { ran, cwd } = await tried(APP.replace(UNDO, ""), ["book", "--junit", "faults.xml"])
  expect(ran.stdout).toContain("\n  when shop, in its write 3 alone\n")
  expect(ran.stdout).toMatch(/^ {4}✗ rejects our credential +INTERNAL +answered +\d+ +\d+ms\n {6}step post failed; undone: reserve$/m)
  expect(ran.stdout.split("\n").filter((line) => line.length > 80)).toEqual([])
  const xml = readFileSync(join(cwd, "faults.xml"), "utf8")
  expect(xml).toMatch(/<testcase classname="book" name="shop rejects our credential in its write 3" time="[\d.]+"><failure type="TRS3028"/)
  expect(xml).toContain("</failure><system-out>step post failed; undone: reserve</system-out></testcase>")
})
