import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseEnv } from "node:util"
import type { Finding } from "../contract/finding.ts"

const SHELL = "the shell"
const LOCAL_FILE = ".env.local"

export interface Variable {
  /** May be empty; whoever needs a value takes an empty one for unset. */
  readonly value: string
  /** `the shell`, or the file's name: `.env.local`. */
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
  const layers = [{ source: SHELL, variables: mapOf(shell) }, ...files.map((file) => readLayer(folder, file, findings))]
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
    const text = readFileSync(join(folder, file), "utf8").replace(/^\ufeff/, "")
    return { source: file, variables: mapOf(parseEnv(text)) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== "ENOENT" && code !== "ENOTDIR") findings.push(unreadable(join(folder, file), code ?? String(error)))
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
