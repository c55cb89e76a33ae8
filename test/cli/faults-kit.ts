import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { folder, json, trestle } from "./kit.ts"

/** As `trestle faults --json` tells it. */
export interface Row {
  operation: string
  service: string | null
  fault: string | null
  nth: number | null
  after: string[]
  result: string
  code: string | null
  outcome: string | null
  servedBy: string | null
  isDegraded: boolean
  attempts: number
  ms: number
  step: string | null
  undone: string[]
  effects: number
  why: string | null
}

/** A run whose temporary folder is its own: what is left in it was left behind. */
export async function tried(app: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const cwd = folder({ "app.ts": app })
  const temporary = mkdtempSync(join(tmpdir(), "trestle-test-"))
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }))
  const ran = await trestle(["faults", ...args], { cwd, env: { TMPDIR: temporary, ...env } })
  return {
    ran,
    cwd,
    left: readdirSync(temporary),
    made: readdirSync(cwd).filter((name) => !["app.ts", "node_modules", "package.json"].includes(name)),
  }
}

export async function rowsOf(app: string, args: readonly string[] = [], env?: Readonly<Record<string, string>>) {
  const { ran, ...more } = await tried(app, ["--json", ...args], env)
  const document = json(ran)
  const rows: Row[] = document.rows
  const row = (fault: string, service = "crm", operation = "one"): Row =>
    rows.find((one) => one.fault === fault && one.service === service && one.operation === operation)!
  return { ...more, ran, document, rows, row, codes: document.findings.map(({ code }: { code: string }) => code) }
}
