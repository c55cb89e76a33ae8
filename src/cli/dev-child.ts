import { registerHooks } from "node:module"
import { join, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import type { Command } from "commander"
import type { Finding } from "../contract/finding.ts"
import type { FromVersion, ToVersion } from "./dev-messages.ts"
import { EXIT, Stop } from "./exit.ts"
import { endGracefully } from "./interrupt.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"

interface ChildFlags {
  readonly app?: string
  readonly url: string
  readonly colour: boolean
}

const DONE: Report = { exit: EXIT.ok, summary: {}, isPrinted: true }
const OWN_SOURCES = fileURLToPath(new URL("../", import.meta.url))

/** One version of the application, started by `trestle dev` in a process of its own, so that nothing in it can end `dev`. */
export function addDevChild(program: Command, run: Run): void {
  program
    .command("dev-child", { hidden: true })
    .option("--app <file>")
    .requiredOption("--url <url>")
    .option("--colour")
    .action((flags: ChildFlags) => run("dev-child", () => devChild(flags)))
}

async function devChild(flags: ChildFlags): Promise<Report> {
  const ended = untilTold()
  reportFiles()
  process.on("disconnect", endAtOnce)
  try {
    await serveVersion(flags, ended)
  } catch (error) {
    await tell({ kind: "refused", findings: await findingsOf(error) })
  }
  return DONE
}

async function serveVersion(flags: ChildFlags, ended: Promise<void>): Promise<void> {
  const startedAt = performance.now()
  const [{ APP_FILES, loadApp }, { loadEnvironment }, { describe }, { startApp }] = await Promise.all([
    import("./load-app.ts"),
    import("../config/environment.ts"),
    import("../assembly/describe.ts"),
    import("../assembly/start.ts"),
  ])
  const environment = loadEnvironment({ folder: process.cwd() })
  void tell({ kind: "files", files: environment.sources.slice(1).map((file) => join(environment.folder, file)) })
  // One that is not there yet may come.
  void tell({ kind: "files", files: [flags.app ?? APP_FILES].flat().map((file) => resolve(file)) })
  const { app } = await loadApp(flags.app)
  const description = describe(app)
  const destination = { write: (lines: string) => void tell({ kind: "lines", lines }) }
  const running = await startApp(app, { logOptions: { destination, format: "json", level: "info" } })
  const { url } = await running.listen({ port: 0, host: "127.0.0.1" })
  const [{ banner }, { paintFor }] = await Promise.all([import("./banner.ts"), import("./paint.ts")])
  const paint = paintFor({ isTTY: flags.colour === true }, {})
  const operations = Object.fromEntries(
    description.operations.map(({ path, declaration: { at } }) => [path, at ? `${at.file.replace(/^file:\/\//, "")}:${at.line}` : ""]),
  )
  const readyMs = Math.round(performance.now() - startedAt)
  await tell({
    kind: "ready",
    port: Number(new URL(url).port),
    banner: banner({ url: flags.url, readyMs, description, paint }),
    operations,
  })
  process.off("disconnect", endAtOnce)
  await ended
  await running.close()
}

/** Until it serves there is nothing to finish, and what it loads may never end. */
function endAtOnce(): void {
  process.exit(EXIT.ok)
}

/** Resolves when `dev` says so, or is gone. What the terminal sends to all its processes is for `dev` to decide. */
function untilTold(): Promise<void> {
  return new Promise((end) => {
    endGracefully((signal) => {
      if (signal === "SIGTERM") end()
    })
    process.on("message", (message: ToVersion) => {
      if (message.kind === "leave") end()
    })
    process.on("disconnect", () => end())
  })
}

/** Tells of each file of the application before it runs, so that one that is missing, cannot be parsed, or never ends, is followed too. */
function reportFiles(): void {
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context)
      } catch (error) {
        const { url } = error as { url?: unknown }
        if (typeof url === "string" && url.startsWith("file:")) void tell({ kind: "files", files: [fileURLToPath(url)] })
        throw error
      }
    },
    load(url, context, next) {
      const file = url.startsWith("file:") ? fileURLToPath(url.replace(/[?#].*$/, "")) : ""
      const isOfTheApp = file !== "" && !file.includes(`${sep}node_modules${sep}`) && !file.startsWith(OWN_SOURCES)
      if (isOfTheApp) void tell({ kind: "files", files: [file] })
      return next(url, context)
    },
  })
}

async function findingsOf(error: unknown): Promise<readonly Finding[]> {
  if (error instanceof Stop) return error.findings
  const [{ TrestleError }, { cliFinding }] = await Promise.all([import("../errors/trestle-error.ts"), import("./findings.ts")])
  if (TrestleError.is(error) && error.findings.length > 0) return error.findings as Finding[]
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [cliFinding("TRS3003", `the application does not start: ${message}`, "Correct it; it is started again when its file changes.")]
}

function tell(message: FromVersion): Promise<void> {
  return new Promise((done) => {
    if (!process.send || !process.connected) return done()
    process.send(message, () => done())
  })
}
