import { readFile } from "node:fs/promises"
import { text } from "node:stream/consumers"
import { type Duration, parseDuration } from "../base/duration.ts"
import { readJson } from "../base/json.ts"
import type { Principal } from "../contract/principal.ts"
import { usage } from "./findings.ts"

/**
 * The input: JSON text, `@file`, or `-` for stdin; `undefined` when none is given.
 *
 * @throws {Stop} wrong usage.
 */
export async function inputOf(given: string | undefined): Promise<unknown> {
  if (given === undefined) return undefined
  if (given === "-") return parsed(await text(process.stdin), "stdin")
  if (!given.startsWith("@")) return parsed(given, "the input")
  const file = given.slice(1)
  const content = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw usage(`the input file "${file}" cannot be read (${error.code})`, "Correct the path after the @.")
  })
  return parsed(content, file)
}

/** @throws {Stop} wrong usage. */
export function principalOf(given: string | undefined): Principal | null {
  if (given === undefined) return null
  const value = parsed(given, "--as") as Partial<Principal> | null
  const isPrincipal = typeof value === "object" && value !== null && typeof value.id === "string" && KINDS.has(value.kind ?? "")
  if (isPrincipal && isTexts(value.roles) && isTexts(value.permissions)) return value as Principal
  throw usage(
    "--as is not a principal",
    'It needs an id and a kind (user, key, service): --as \'{"id":"ada","kind":"user","roles":["writer"]}\'',
  )
}

const KINDS = new Set(["user", "key", "service"])

function isTexts(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"))
}

/** @throws {Stop} wrong usage. */
export function deadlineOf(given: string | undefined): Duration | undefined {
  if (given === undefined) return undefined
  if (parseDuration(given) === null)
    throw usage(`--deadline is no duration: "${given}"`, "Write a number with its unit: --deadline 3s, 500ms, 1m")
  return given as Duration
}

function parsed(json: string, from: string): unknown {
  const reading = readJson(json)
  if ("refused" in reading)
    throw usage(
      `${from} is not JSON that is taken here: ${reading.message}`,
      'Quote it for the shell: trestle call notes.create \'{"text":"hello"}\'',
    )
  return reading.value
}
