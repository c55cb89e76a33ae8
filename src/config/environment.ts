import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { parseEnv } from "node:util"
import type { Finding } from "../contract/finding.ts"

export const SHELL = "the shell"
const LOCAL_FILE = ".env.local"

export interface Variable {
  /** May be empty; whoever needs a value takes an empty one for unset. */
  readonly value: string
  /** `the shell`, or the file's name: `.env.local`, or what Node was told to read by `--env-file`. */
  readonly source: string
  /** Places further down that give the same variable another value, which is not used. */
  readonly shadows: readonly string[]
}

/** The variables of one start, as they were when it was loaded. */
export interface Environment {
  /** `development`, `production`, `test`, ... */
  readonly name: string
  /** Absolute path of the folder whose `.env` files were read. */
  readonly folder: string
  /** The places that were looked at, the strongest first; files that do not exist too. */
  readonly sources: readonly string[]
  /** Files that exist and could not be read. */
  readonly findings: readonly Finding[]
  get(name: string): Variable | undefined
  names(): string[]
}

export interface EnvironmentOptions {
  readonly folder: string
  /** Default: `TRESTLE_ENV`, else `NODE_ENV`, else `development`. */
  readonly environment?: string
  /** Default: `process.env`. */
  readonly process?: Readonly<Record<string, string | undefined>>
  /** Flags of Node: what `--env-file` has put into the process is known by them. Default: `process.execArgv`. */
  readonly flags?: readonly string[]
}

interface Layer {
  readonly source: string
  readonly variables: ReadonlyMap<string, string>
}

/**
 * Reads the variables of the process and of the `.env` files in a folder: the process, then `.env.local`, then `.env.<environment>`, then
 * `.env`; the first that has a variable wins, even with an empty value. Missing files are fine. Changes nothing outside, not even
 * `process.env`. Never throws.
 */
export function loadEnvironment(options: EnvironmentOptions): Environment {
  const folder = resolve(options.folder)
  const shell = options.process ?? process.env
  const name = options.environment || shell.TRESTLE_ENV || shell.NODE_ENV || "development"
  const findings: Finding[] = []
  const files = [...new Set([LOCAL_FILE, `.env.${name}`, ".env"])]
  const ofNode = filesOfNode(options.flags ?? process.execArgv).map((file) => readLayer(folder, file, findings))
  const layers = [...processLayers(mapOf(shell), ofNode), ...files.map((file) => readLayer(folder, file, findings))]
  return {
    name,
    folder,
    sources: layers.map((layer) => layer.source),
    findings,
    get: (variable) => find(layers, variable),
    names: () => [...new Set(layers.flatMap((layer) => [...layer.variables.keys()]))],
  }
}

/** For people: `the shell, .env.local, .env.development, .env in /app`. */
export function placesOf(environment: Environment): string {
  return `${environment.sources.join(", ")} in ${environment.folder}`
}

/** The last that is named wins. */
function filesOfNode(flags: readonly string[]): string[] {
  const named = flags.flatMap((flag, i) => {
    const [, file, isApart] = /^--env-file(?:-if-exists)?(?:=(.+)|($))/.exec(flag) ?? []
    return isApart === undefined ? (file ?? []) : (flags[i + 1] ?? [])
  })
  return [...new Set(named.reverse())]
}

/** What the process has, by where it comes from: Node adds what a file says to the process, and leaves alone what the shell has set. */
function processLayers(all: ReadonlyMap<string, string>, ofNode: readonly Layer[]): Layer[] {
  const known = ofNode.map(({ source, variables }) => ({ source, variables: new Map([...variables].filter(([name]) => all.has(name))) }))
  const decidedBy = (name: string): Layer | undefined => known.find(({ variables }) => variables.has(name))
  const ofShell = [...all].filter(([name, value]) => decidedBy(name)?.variables.get(name) !== value)
  return [{ source: SHELL, variables: new Map(ofShell) }, ...known]
}

function find(layers: readonly Layer[], name: string): Variable | undefined {
  const having = layers.filter((layer) => layer.variables.has(name))
  const first = having[0]
  if (!first) return undefined
  const value = first.variables.get(name)!
  const shadows = having.filter((layer) => layer.variables.get(name) !== value).map((layer) => layer.source)
  return { value, source: first.source, shadows }
}

function readLayer(folder: string, file: string, findings: Finding[]): Layer {
  try {
    // A byte order mark would become part of the first name.
    const text = readFileSync(resolve(folder, file), "utf8").replace(/^\ufeff/, "")
    return { source: file, variables: mapOf(parseEnv(text)) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== "ENOENT" && code !== "ENOTDIR") findings.push(unreadable(resolve(folder, file), code ?? String(error)))
    return { source: file, variables: new Map() }
  }
}

/** A map, so that a variable named `constructor` is just a variable. */
function mapOf(variables: Readonly<Record<string, string | undefined>>): Map<string, string> {
  return new Map(Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function unreadable(path: string, why: string): Finding {
  return {
    code: "TRS2005",
    severity: "error",
    message: `${path} is there but cannot be read (${why}).`,
    at: path,
    file: path,
    line: null,
    excerpt: "",
    why: "The settings and secrets in it would be missing, or silently replaced by those of a weaker file.",
    fix:
      why === "EISDIR" ? `Make ${path} a file, or remove the folder.` : `Let the user that runs the application read it: chmod u+r ${path}`,
  }
}
