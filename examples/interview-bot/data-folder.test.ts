import { join } from "node:path"
import { expect, test } from "vitest"
import { commandFor, variablesFile } from "./data-folder.ts"

test.each([
  ["nothing is set", {}, ".trestle/demo.env", "npm run trestle --"],
  ["another port", { PORT: "4005" }, ".trestle/port-4005/demo.env", "PORT=4005 npm run trestle --"],
  ["the usual port", { PORT: "4000" }, ".trestle/demo.env", "npm run trestle --"],
  ["another folder", { PORT: "4005", TRESTLE_DATA: "/data/bot" }, "/data/bot/demo.env", "TRESTLE_DATA='/data/bot' npm run trestle --"],
])("%s → the file of that run, and the command that reads it", (_, variables, file, command) => {
  expect(variablesFile(variables)).toBe(file.startsWith("/") ? file : join(import.meta.dirname, file))
  expect(commandFor(variables)).toBe(command)
})
