import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { type App, isApp } from "../assembly/definition.ts"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding } from "./findings.ts"
import { importFile } from "./import-file.ts"
import { loadFailure } from "./load-failure.ts"

export interface Loaded {
  readonly app: App<unknown>
  /** Absolute path. */
  readonly file: string
}

/** Where an application is looked for when nothing says where it is, in this order. */
export const APP_FILES = ["app.ts", "src/app.ts", "app.js", "app.mjs", "src/app.js", "dist/app.js"] as const

/**
 * Finds and imports the application: `--app`, else `"trestle": { "app": ... }` of `package.json`, else the first of `APP_FILES`.
 * Its export `app` counts, else the default one.
 *
 * @throws {Stop} with exit code 3 when there is none, or when it throws.
 */
export async function loadApp(flag: string | undefined, folder: string = process.cwd()): Promise<Loaded> {
  const file = findApp(flag, folder)
  let module: Record<string, unknown>
  try {
    module = await importFile(file)
  } catch (error) {
    throw new Stop(EXIT.noLoad, [loadFailure(error, file, folder)])
  }
  const app = [module.app, module.default].find(isApp)
  if (!app) throw notAnApp(module, file)
  return { app, file }
}

function findApp(flag: string | undefined, folder: string): string {
  if (flag !== undefined) return existing(flag, folder, "--app")
  const configured = configuredApp(folder)
  if (configured !== undefined) return existing(configured, folder, '"trestle": { "app" } in package.json')
  const found = APP_FILES.find((file) => existsSync(join(folder, file)))
  if (found) return join(folder, found)
  const message = `no application here: looked for ${APP_FILES.join(", ")}`
  const fix =
    'Start one with `npx trestle init`, or say where it is: --app path/to/app.ts, or "trestle": { "app": "path/to/app.ts" } in package.json'
  throw new Stop(EXIT.noLoad, [cliFinding("TRS3002", message, fix, { at: folder })])
}

function existing(path: string, folder: string, from: string): string {
  const file = resolve(folder, path)
  if (existsSync(file)) return file
  const fix = `Correct the path. It is relative to ${folder}`
  throw new Stop(EXIT.noLoad, [cliFinding("TRS3002", `${from} names ${path}, and there is no such file`, fix, { at: from })])
}

function configuredApp(folder: string): string | undefined {
  const file = join(folder, "package.json")
  if (!existsSync(file)) return undefined
  try {
    const { app } = (JSON.parse(readFileSync(file, "utf8")) as { trestle?: { app?: unknown } }).trestle ?? {}
    return typeof app === "string" ? app : undefined
  } catch (error) {
    const message = `package.json cannot be read: ${(error as Error).message}`
    throw new Stop(EXIT.noLoad, [cliFinding("TRS3002", message, "Correct package.json.", { at: file })])
  }
}

function notAnApp(module: Record<string, unknown>, file: string): Stop {
  const names = Object.keys(module)
  const other = names.find((name) => isApp(module[name]))
  const message = `${file} exports no application under \`app\` or as its default${names.length > 0 ? `; it exports ${names.join(", ")}` : "; it exports nothing"}`
  const fix = other ? `Rename it: export const app = ${other}` : 'export const app = trestle({ name: "my-app", ops: { ... } })'
  return new Stop(EXIT.noLoad, [cliFinding("TRS3004", message, fix, { place: { file, line: 1 } })])
}
