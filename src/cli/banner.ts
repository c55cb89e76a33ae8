import type { Description } from "../assembly/describe.ts"
import type { Operation } from "../contract/operation.ts"
import { asTyped } from "./as-typed.ts"
import { countsText } from "./board.ts"
import { versionOfPackage } from "./package-version.ts"
import { type Paint, shown } from "./paint.ts"

export interface BannerParts {
  readonly url: string
  readonly readyMs: number
  readonly description: Description
  readonly paint: Paint
}

/** What a person wants to know when the server is up: where, what, and what to do next. */
export function banner({ url, readyMs, description, paint }: BannerParts): string {
  const { board } = description
  const head = `trestle ${versionOfPackage()}  ${shown(description.name)}`
  const count = `${board.length} ${board.length === 1 ? "operation" : "operations"}`
  const lines = [
    "",
    `  ${paint("bold", head)}  ready in ${readyMs} ms`,
    `  API   ${paint("cyan", url)}   ${count}`,
    `  Docs  ${paint("cyan", `${url}/docs`)}`,
    `  ${countsText(board)}   ${paint("dim", asTyped("trestle status shows which"))}`,
    `  next: ${nextStep(url, description)}`,
    "",
  ]
  return `${lines.join("\n")}\n`
}

/** Something to paste that works now. */
function nextStep(url: string, { operations, authenticators }: Description): string {
  const open = operations.find((operation) => operation.isPublic && operation.route?.verb === "GET" && needsNothing(operation))
  if (open) return `curl ${url}${open.route!.pattern}`
  if (authenticators.includes("api-keys")) return asTyped("make a key: trestle keys create --name me --role <role>")
  return `open ${url}/docs`
}

function needsNothing({ input, route }: Operation): boolean {
  return route!.params.length === 0 && (input.json.required ?? []).length === 0
}
