import { basename } from "node:path"

export const VERBS: readonly string[] = [
  "init",
  "dev",
  "serve",
  "status",
  "doctor",
  "call",
  "explain",
  "verify",
  "faults",
  "jobs",
  "outbox",
  "keys",
  "openapi",
  "client",
  "db",
]

const COMMANDS = new RegExp(`(?<![\\w/.-])(?:npx )?trestle (?=(?:${VERBS.join("|")})\\b)`, "g")

/** A hint with its commands as they are typed where this process was: texts write `trestle doctor`, which only some shells would find. */
export function asTyped(text: string, command = commandOf(process.argv[1] ?? "", process.env)): string {
  return text.replace(COMMANDS, `${command} `)
}

/**
 * What begins every command line: `npx trestle`, for a shell finds nothing in `node_modules`; `trestle` where it is installed for all;
 * `npm run <script> --` where that script is nothing but the command, so that the verb comes after it.
 *
 * @param path of what Node runs, as it was asked for.
 */
export function commandOf(path: string, { npm_lifecycle_event: script, npm_lifecycle_script: line = "" }: NodeJS.ProcessEnv): string {
  if (script !== undefined && script !== "npx" && /\btrestle(\.[cm]?[jt]s)?$/.test(line)) return `npm run ${script} --`
  return basename(path) === "trestle" && !path.includes("node_modules") ? "trestle" : "npx trestle"
}
