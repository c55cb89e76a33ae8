import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { GUARD_ORDER } from "../../src/policies/guard.ts"
import { STAGES } from "../../src/runtime/stages.ts"
import { findCycle, importsOf, SOURCE, sourceFiles } from "./imports.ts"

/** The floor of every room. A file imports from its own room and from lower floors; rooms on one floor do not import each other. */
const FLOORS: Readonly<Record<string, number>> = {
  base: 0,
  errors: 1,
  contract: 2,
  policies: 3,
  backends: 3,
  security: 3,
  connectors: 3,
  telemetry: 3,
  transform: 3,
  config: 3,
  durable: 3,
  runtime: 4,
  server: 5,
  client: 5,
  assembly: 6,
  testing: 7,
  cli: 8,
  "index.ts": 8,
}

const roomOf = (file: string): string => file.split("/")[0]!
const files = sourceFiles()

describe("the house", () => {
  test("every room: has a floor", () => {
    expect([...new Set(files.map(roomOf))].filter((room) => FLOORS[room] === undefined)).toEqual([])
  })

  test("an import: stays in its room or goes to a lower floor", () => {
    const offences = files
      .flatMap(importsOf)
      .filter(({ from, to }) => roomOf(from) !== roomOf(to) && FLOORS[roomOf(to)]! >= FLOORS[roomOf(from)]!)
    expect(offences.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  test("the runtime: knows no policy, backend, connector or security room", () => {
    const known = files.filter((file) => roomOf(file) === "runtime").flatMap(importsOf)
    expect(known.filter(({ to }) => FLOORS[roomOf(to)] === 3).map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  test("run-time imports: have no cycle", () => {
    const edges = new Map(files.map((file) => [file, importsOf(file).flatMap(({ to, isTypeOnly }) => (isTypeOnly ? [] : [to]))]))
    expect(findCycle(edges)).toBeNull()
  })

  test("the search for cycles: finds one", () => {
    const edges = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["a"]],
    ])
    expect(findCycle(edges)).toEqual(["a", "b", "c", "a"])
  })

  test("bare errors: only in base/assert", () => {
    const throwing = files.filter(
      (file) =>
        file !== "base/assert.ts" && !file.startsWith("server/docs/") && /throw new Error\(/.test(readFileSync(join(SOURCE, file), "utf8")),
    )
    expect(throwing).toEqual([])
  })

  test("files: none above 500 lines", () => {
    const long = files.filter((file) => readFileSync(join(SOURCE, file), "utf8").split("\n").length > 500)
    expect(long).toEqual([])
  })
})

describe("docs/explanation/life-of-a-call.md", () => {
  const document = readFileSync(join(SOURCE, "..", "docs", "explanation", "life-of-a-call.md"), "utf8")

  test("its table of stages: is the order of the code", () => {
    const rows = [...document.matchAll(/^\| \d+ \| `([^`]+)` \| (entrance|every call) \|/gm)].map((match) => ({
      name: match[1],
      at: match[2],
    }))
    expect(rows).toEqual(STAGES.map(({ name, at }) => ({ name, at })))
  })

  test("its order of policies: is the order of the code", () => {
    const rows = [...document.matchAll(/^\| [a-z] \| `([^`]+)` \|/gm)].map((match) => match[1])
    expect(rows).toEqual([...GUARD_ORDER])
  })

  test("the files it names: exist", () => {
    const named = [...document.matchAll(/`(src\/[\w/.-]+)`/g)].map((match) => match[1]!)
    expect(named.length).toBeGreaterThan(4)
    for (const file of named) expect(files, file).toContain(file.replace("src/", ""))
  })
})
