import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { SourcePlace } from "./source-place.ts"

/** The lines round a place, numbered, with the line itself marked; empty where the source is not there to be read. */
export function excerptAt(place: SourcePlace | null, around = 2): string {
  if (!place) return ""
  let lines: string[]
  try {
    lines = readFileSync(pathOf(place), "utf8").split("\n")
  } catch {
    return ""
  }
  if (place.line > lines.length) return ""
  const first = Math.max(1, place.line - around)
  const last = Math.min(lines.length, place.line + around)
  const width = String(last).length
  const shown: string[] = []
  for (let line = first; line <= last; line++) {
    shown.push(`${line === place.line ? ">" : " "} ${String(line).padStart(width)} | ${lines[line - 1]}`.trimEnd())
  }
  return shown.join("\n")
}

/** The path of a place's file on this machine. */
export function pathOf(place: SourcePlace): string {
  return place.file.startsWith("file:") ? fileURLToPath(place.file) : place.file
}
