import { statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Finding } from "../contract/finding.ts"
import { type Pages, pagesOptions } from "../contract/pages.ts"
import { finding } from "./findings.ts"
import { reading } from "./operations.ts"

/** What a header field may hold. Source: RFC 9110, section 5.5, without what is obsolete. */
const FIELD = /^[\t\x20-\x7e]+$/

/** Whether the pages can be served: looks at their folder, reads none of them, never throws. */
export function checkPages(pages: Pages): Finding[] {
  const { folder, policy } = pagesOptions(pages)
  const findings: Finding[] = []
  const mistake = folderMistake(folder)
  if (mistake) findings.push(finding("TRS1039", null, `pages: ${mistake}`, 'pages: new URL("./pages/", import.meta.url),'))
  if (typeof policy !== "string" || !FIELD.test(policy)) {
    const fix = `pages: { folder: ..., policy: "default-src 'self'; img-src 'self' https://images.example.org" },`
    findings.push(finding("TRS1039", null, "pages: policy is not one line of ASCII text", fix))
  }
  return findings
}

function folderMistake(folder: unknown): string | null {
  if (!(folder instanceof URL) || folder.protocol !== "file:") return `${String(folder)} is not a file: address`
  const path = reading(() => fileURLToPath(folder))
  if ("why" in path) return `${folder} is not a file: address: ${path.why}`
  const found = statSync(path.value, { throwIfNoEntry: false })
  if (!found) return `the folder ${path.value} does not exist`
  return found.isDirectory() ? null : `${path.value} is not a folder`
}
