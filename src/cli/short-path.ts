import { relative } from "node:path"

/** A path, or `path:line`, as people in `folder` would type it; what is outside of it stays whole. */
export function shortPath(path: string, folder: string = process.cwd()): string {
  const short = relative(folder, path)
  return short.startsWith("..") ? path : short
}
