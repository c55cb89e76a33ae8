/** What becomes of `package.json`. */
export interface PackagePlan {
  /** The new text; `null` where nothing changes. */
  readonly text: string | null
  /** What was added, for people. */
  readonly added: readonly string[]
  /** Of the application's files: `mts` where the package is CommonJS and other code relies on it. */
  readonly extension: "ts" | "mts"
  /** Packages that must still be installed. */
  readonly missing: readonly string[]
}

interface Package {
  [field: string]: unknown
  type?: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  trestle?: object
}

const SCRIPTS = { start: "trestle serve", dev: "trestle dev", status: "trestle status", test: "node --test", typecheck: "tsc" }
const DEV_DEPENDENCIES = { "@types/node": "^24.0.0", typescript: "^5.9.0 || ^7.0.0" }
/** What `npm init` writes before anybody has thought of tests. */
const NO_TEST = /^echo "Error: no test specified"/

/** A package of one's own. */
export function newPackage(name: string, version: string): PackagePlan {
  const dependencies = { trestle: `^${version}`, zod: "^4.2.0" }
  const content = {
    name,
    version: "0.0.0",
    private: true,
    type: "module",
    engines: { node: ">=22.19" },
    scripts: SCRIPTS,
    dependencies,
    devDependencies: DEV_DEPENDENCIES,
  }
  return { text: `${JSON.stringify(content, null, 2)}\n`, added: [], extension: "ts", missing: [] }
}

/**
 * Adds what is missing and changes nothing that somebody relies on: a package that is CommonJS and has code becomes no module, its
 * application becomes an `.mts` file.
 *
 * @throws {SyntaxError} when it is no JSON.
 */
export function changedPackage(text: string, hasOwnCode: boolean): PackagePlan {
  const before = JSON.parse(text) as Package
  const after: Package = { ...before }
  const added: string[] = []
  const isModule = before.type === "module"
  const extension = !isModule && hasOwnCode ? "mts" : "ts"
  if (!isModule && !hasOwnCode) {
    after.type = "module"
    added.push('"type": "module"')
  }
  if (extension === "mts" && before.trestle === undefined) {
    after.trestle = { app: "app.mts" }
    added.push('"trestle": { "app": "app.mts" }')
  }
  const scripts = Object.entries(SCRIPTS).filter(([name]) => before.scripts?.[name] === undefined || NO_TEST.test(before.scripts[name]))
  if (scripts.length > 0) {
    after.scripts = { ...before.scripts, ...Object.fromEntries(scripts) }
    added.push(`scripts ${scripts.map(([name]) => name).join(", ")}`)
  }
  const present = { ...before.dependencies, ...before.devDependencies }
  const tools = Object.entries(DEV_DEPENDENCIES).filter(([name]) => present[name] === undefined)
  if (tools.length > 0) {
    after.devDependencies = { ...before.devDependencies, ...Object.fromEntries(tools) }
    added.push(`devDependencies ${tools.map(([name]) => name).join(", ")}`)
  }
  const missing = ["trestle", "zod"].filter((name) => present[name] === undefined)
  return { text: added.length > 0 ? `${JSON.stringify(after, null, indentOf(text))}\n` : null, added, extension, missing }
}

function indentOf(text: string): string {
  return /\n([ \t]+)"/.exec(text)?.[1] ?? "  "
}
