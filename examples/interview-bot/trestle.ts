// `npm run trestle`: the command line, with the variables of the bot that runs. For another one than the usual: PORT=4005 npm run trestle.
import { existsSync } from "node:fs"
import { relative } from "node:path"
import { variablesFile } from "./data-folder.ts"

const file = variablesFile(process.env)
if (existsSync(file)) {
  process.loadEnvFile(file)
  // As if Node had been started with it: that is how `trestle doctor` knows where a value comes from.
  process.execArgv.push(`--env-file-if-exists=${relative("", file)}`)
}
await import(new URL("../../bin/trestle.js", import.meta.url).href)
