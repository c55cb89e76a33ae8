import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"

export interface Import {
  readonly from: string
  readonly to: string
  readonly isTypeOnly: boolean
}

export const SOURCE = join(import.meta.dirname, "..", "..", "src")

export function sourceFiles(folder = SOURCE): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  return files.filter((file) => file.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(file)).sort()
}

/** Every relative import of a file, static and dynamic, as paths below `src`. */
export function importsOf(file: string): Import[] {
  const text = readFileSync(join(SOURCE, file), "utf8")
  const statement = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"(\.{1,2}\/[^"]+)"/gm
  const dynamic = /import\("(\.{1,2}\/[^"]+)"\)/g
  const target = (specifier: string): string => relative(SOURCE, join(SOURCE, dirname(file), specifier))
  return [
    ...[...text.matchAll(statement)].map((match) => ({ from: file, to: target(match[2]!), isTypeOnly: match[1] !== undefined })),
    ...[...text.matchAll(dynamic)].map((match) => ({ from: file, to: target(match[1]!), isTypeOnly: false })),
  ]
}

/** A cycle among the run-time imports of these files, as the list of its files, or `null`. */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] | null => {
    const at = path.indexOf(file)
    if (at !== -1) return [...path.slice(at), file]
    if (done.has(file)) return null
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...path, file])
      if (cycle) return cycle
    }
    done.add(file)
    return null
  }
  for (const file of edges.keys()) {
    const cycle = visit(file, [])
    if (cycle) return cycle
  }
  return null
}
