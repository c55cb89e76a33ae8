import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { basename, dirname, join, relative, resolve } from "node:path"
import type { Finding } from "../contract/finding.ts"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding } from "./findings.ts"
import type { InitFlags } from "./init.ts"
import { appSource, ENV_EXAMPLE, IGNORED, TSCONFIG, testSource } from "./init-files.ts"
import { changedPackage, newPackage, type PackagePlan } from "./init-package.ts"
import { APP_FILES } from "./load-app.ts"
import { versionOfPackage } from "./package-version.ts"
import { shown } from "./paint.ts"
import type { Report } from "./report.ts"

interface Step {
  readonly file: string
  readonly action: "write" | "add to" | "keep"
  /** What is added, or why it is kept. */
  readonly what: string
  readonly text: string
}

/** Writes what is missing; what is there is kept, or added to where that is harmless. */
export async function initFolder(target: string, { dryRun = false }: InitFlags): Promise<Report> {
  const folder = resolve(target)
  const plan = planPackage(folder)
  const steps = stepsFor(folder, plan)
  if (!dryRun) await carryOut(folder, steps)
  const kept = steps.filter(({ action }) => action === "keep")
  const done = (action: Step["action"]): string[] => steps.filter((step) => step.action === action).map(({ file }) => file)
  const next = nextCommands(target, folder, plan)
  return {
    exit: EXIT.ok,
    findings: kept.map(({ file, what }) => keptFinding(folder, file, what)),
    summary: { folder, dryRun, written: done("write"), changed: done("add to"), kept: done("keep") },
    json: { next },
    text: steps
      .filter(({ action }) => action !== "keep")
      .map((step) => stepLine(step, dryRun))
      .join(""),
    notes: `\nnext:\n${next.map((command) => `  ${command}\n`).join("")}`,
  }
}

function planPackage(folder: string): PackagePlan {
  const file = join(folder, "package.json")
  if (!existsSync(file)) return newPackage(nameOf(folder), versionOfPackage())
  try {
    return changedPackage(readFileSync(file, "utf8"), hasOwnCode(folder))
  } catch (error) {
    throw new Stop(EXIT.noLoad, [
      cliFinding("TRS3008", `package.json cannot be read: ${(error as Error).message}`, "Correct package.json first.", { at: file }),
    ])
  }
}

function hasOwnCode(folder: string): boolean {
  const isCode = (name: string): boolean => /\.[cm]?[jt]sx?$/.test(name)
  return ["", "src", "lib", "test"].some((inner) => existsSync(join(folder, inner)) && readdirSync(join(folder, inner)).some(isCode))
}

function stepsFor(folder: string, plan: PackagePlan): Step[] {
  const { extension } = plan
  const app = APP_FILES.find((file) => existsSync(join(folder, file)))
  const whole = (file: string, text: string): Step =>
    existsSync(join(folder, file)) ? { file, action: "keep", what: "it is there already", text } : { file, action: "write", what: "", text }
  const isThere = existsSync(join(folder, "package.json"))
  const packageStep: Step = {
    file: "package.json",
    action: isThere ? "add to" : "write",
    what: plan.added.join(", "),
    text: plan.text ?? "",
  }
  return [
    ...(plan.text === null ? [] : [packageStep]),
    // An application that would be found first must not get a second one beside it.
    ...(app === undefined
      ? [whole(`app.${extension}`, appSource(nameOf(folder))), whole(`app.test.${extension}`, testSource(extension))]
      : [{ file: app, action: "keep", what: "there is an application already", text: "" } as const]),
    whole("tsconfig.json", TSCONFIG),
    whole(".env.example", ENV_EXAMPLE),
    ...ignoreStep(folder),
  ]
}

function ignoreStep(folder: string): Step[] {
  const file = join(folder, ".gitignore")
  const before = existsSync(file) ? readFileSync(file, "utf8") : ""
  const present = new Set(before.split("\n").map((line) => line.trim().replace(/^\/|\/$/g, "")))
  const lines = IGNORED.filter((line) => !present.has(line.replace(/\/$/, "")))
  if (lines.length === 0) return []
  const gap = before === "" || before.endsWith("\n") ? "" : "\n"
  return [
    {
      file: ".gitignore",
      action: before === "" ? "write" : "add to",
      what: lines.join(", "),
      text: `${before}${gap}${lines.join("\n")}\n`,
    },
  ]
}

async function carryOut(folder: string, steps: readonly Step[]): Promise<void> {
  for (const { file, action, text } of steps) {
    if (action === "keep") continue
    const path = join(folder, file)
    try {
      await mkdir(dirname(path), { recursive: true })
      // "wx": even a file that has come since the look is not overwritten.
      await writeFile(path, text, { flag: action === "write" && !existsSync(path) ? "wx" : "w" })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Stop(EXIT.usage, [
        cliFinding("TRS3008", `${path} cannot be written (${code})`, "Choose a folder that you may write to.", { at: folder }),
      ])
    }
  }
}

function stepLine({ file, action, what }: Step, dryRun: boolean): string {
  const done = dryRun ? `would ${action}` : action === "write" ? "wrote" : "added to"
  return `${done} ${file}${action === "add to" ? `: ${what}` : ""}\n`
}

function keptFinding(folder: string, file: string, what: string): Finding {
  return cliFinding("TRS3009", `${file} is kept as it is: ${what}`, "Remove or rename it and run this again, if you want the new one.", {
    severity: "warning",
    at: join(folder, file),
  })
}

/** Three commands to paste. */
function nextCommands(target: string, folder: string, { missing }: PackagePlan): string[] {
  const enter = relative(process.cwd(), folder) === "" ? "" : `cd ${shown(target)} && `
  const install = missing.length > 0 ? `npm i ${missing.join(" ")}` : "npm install"
  return [`${enter}${install}`, "npx trestle status", "npx trestle dev"]
}

/** The folder's name, as npm takes one. */
function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "")
  return name || "my-app"
}
