// Prints, for each file given, the codes of the findings of its application: its `app`, or one made of its exported operations.
import { pathToFileURL } from "node:url"
import { type App, trestle } from "trestle"

const isOperation = (value: unknown): boolean => typeof value === "object" && value !== null && "~op" in value
const found: Record<string, string[]> = {}
for (const file of process.argv.slice(2)) {
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const ops = Object.fromEntries(Object.entries(module).filter(([, value]) => isOperation(value)))
  const app = (module.app as App<unknown> | undefined) ?? trestle({ name: "example", ops })
  found[file] = app.check().map(({ code }) => code)
}
console.log(JSON.stringify(found))
