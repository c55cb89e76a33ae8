import { describe, expect, test } from "vitest"
import { asTyped, commandOf } from "./as-typed.ts"

describe("how this process was begun", () => {
  test.each([
    ["npx, in a project", "/p/node_modules/.bin/trestle", { npm_lifecycle_event: "npx", npm_lifecycle_script: "'trestle'" }, "npx trestle"],
    [
      "a script of one verb",
      "/p/node_modules/.bin/trestle",
      { npm_lifecycle_event: "dev", npm_lifecycle_script: "trestle dev" },
      "npx trestle",
    ],
    [
      "a script that takes any verb",
      "/p/x/trestle.ts",
      { npm_lifecycle_event: "t", npm_lifecycle_script: "node x/trestle.ts" },
      "npm run t --",
    ],
    ["by its path, in a project", "/p/node_modules/.bin/trestle", {}, "npx trestle"],
    ["installed for all", "/usr/local/bin/trestle", {}, "trestle"],
    ["its file", "/p/bin/trestle.js", {}, "npx trestle"],
  ])("%s → what to type", (_, path, environment, command) => {
    expect(commandOf(path, environment)).toBe(command)
  })
})

describe("commands in a hint", () => {
  test.each([
    ["trestle explain users.create   or: npx trestle doctor", "npx trestle explain users.create   or: npx trestle doctor"],
    ["Run `trestle db migrate`.", "Run `npx trestle db migrate`."],
    ["npm i trestle zod", "npm i trestle zod"],
    ["a call of trestle({ ops })", "a call of trestle({ ops })"],
    ["node_modules/.bin/trestle dev", "node_modules/.bin/trestle dev"],
  ])("%s → as they are typed", (text, typed) => {
    expect(asTyped(text, "npx trestle")).toBe(typed)
  })
})
