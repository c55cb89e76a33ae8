import { nearest } from "../base/nearest.ts"
import { usage } from "./findings.ts"

/**
 * The operations that the targets name: paths, groups (`users`), or globs, where `*` stands for anything within one part of a path and
 * `**` for any number of parts. No target names all.
 *
 * @throws {Stop} wrong usage, for a target that names nothing, with the nearest path.
 */
export function matching(targets: readonly string[], paths: readonly string[]): readonly string[] {
  if (targets.length === 0) return paths
  const patterns = targets.map((target) => ({ target, pattern: patternOf(target) }))
  for (const { target, pattern } of patterns) if (!paths.some((path) => pattern.test(path))) throw noSuch(target, paths)
  return paths.filter((path) => patterns.some(({ pattern }) => pattern.test(path)))
}

/** @throws {Stop} */
export function noSuch(target: string, paths: readonly string[]): ReturnType<typeof usage> {
  const groups = paths.flatMap((path) => path.split(".").slice(0, -1))
  // The last part alone is a likely slip too: "create" for "users.create".
  const guess = nearest(target, [...paths, ...groups]) ?? paths.find((path) => path.endsWith(`.${target}`))
  const some = paths.length > 8 ? `${paths.slice(0, 8).join(", ")}, ...` : paths.join(", ")
  if (isFile(target)) return usage(`there is no operation "${target}"`, `The file of an application is named by an option: --app ${target}`)
  return usage(`there is no operation "${target}"`, guess ? `Did you mean "${guess}"?` : `There are: ${some || "none"}`)
}

/** `app.ts`, `./app`, `src/app`: no path of an operation has a slash or ends so. */
function isFile(target: string): boolean {
  return /[/\\]|\.[cm]?[jt]sx?$/.test(target)
}

function patternOf(target: string): RegExp {
  const source = target
    .split(/(\*\*?)/)
    .map((part) => (part === "**" ? ".*" : part === "*" ? "[^.]*" : part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")))
    .join("")
  return target.includes("*") ? new RegExp(`^${source}$`) : new RegExp(`^${source}(\\..*)?$`)
}
