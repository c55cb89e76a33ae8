import type { Command } from "commander"
import type { Running } from "../assembly/definition.ts"
import type { Description } from "../assembly/describe.ts"
import type { Environment } from "../config/environment.ts"
import { EXIT, type ExitCode, Stop } from "./exit.ts"
import { endGracefully } from "./interrupt.ts"
import { listenRefusal, portFrom } from "./listening.ts"
import type { Run } from "./program.ts"
import { printReport, type Report } from "./report.ts"
import { APP_FLAG, keptEvidence } from "./status.ts"

interface ServeFlags {
  readonly port?: string
  readonly host?: string
  readonly app?: string
}

export function addServe(program: Command, run: Run): void {
  program
    .command("serve")
    .summary("Check, start and listen")
    .description("Check the application, start it and listen.")
    .option("--port <port>", "0 takes a free one (default: PORT, else 4000)")
    .option("--host <address>", "0.0.0.0 for every network (default: 127.0.0.1, this machine only)")
    .option(...APP_FLAG)
    .addHelpText(
      "after",
      "\nExamples:\n  trestle serve\n  TRESTLE_ENV=production trestle serve --host 0.0.0.0\n\nThe log goes to stdout. SIGTERM and SIGINT let calls under way finish. In\nproduction, placeholders must be allowed with a reason.\n",
    )
    .action((flags: ServeFlags) => run("serve", ({ isJson }) => serve(flags, isJson)))
}

async function serve(flags: ServeFlags, isJson: boolean): Promise<Report> {
  const [{ loadApp }, { loadEnvironment }, { describe }, { startApp }] = await Promise.all([
    import("./load-app.ts"),
    import("../config/environment.ts"),
    import("../assembly/describe.ts"),
    import("../assembly/start.ts"),
  ])
  const environment = loadEnvironment({ folder: process.cwd() })
  const port = portFrom(flags.port, environment)
  const { app } = await loadApp(flags.app)
  const description = describe(app, await keptEvidence())
  await refusePlaceholders(environment, description)
  // With --json stdout belongs to the document.
  const running = await startApp(app, isJson ? { logOptions: { destination: process.stderr } } : {})
  const ended = untilStopped(running)
  const url = await listen(running, port, flags.host ?? "127.0.0.1")
  const readyMs = Math.round(performance.now())
  const summary = { app: app.name, url, readyMs, operations: description.board.length }
  // Said now, not at the end: whoever starts a server waits for this.
  if (isJson) printReport("serve", { exit: EXIT.ok, summary }, true)
  else await printBanner(url, readyMs, description)
  return { exit: await ended, summary, isPrinted: true }
}

async function printBanner(url: string, readyMs: number, description: Description): Promise<void> {
  const [{ banner }, { paintFor }] = await Promise.all([import("./banner.ts"), import("./paint.ts")])
  process.stderr.write(banner({ url, readyMs, description, paint: paintFor(process.stderr) }))
}

/** Production takes no made-up answers that nobody has accepted. */
async function refusePlaceholders(environment: Environment, { operations }: Description): Promise<void> {
  if (environment.name !== "production") return
  const { unallowedPlaceholders } = await import("./placeholders.ts")
  const findings = unallowedPlaceholders(operations)
  if (findings.length > 0) throw new Stop(EXIT.noLoad, findings)
}

async function listen(running: Running<unknown>, port: number, host: string): Promise<string> {
  try {
    return (await running.listen({ port, host })).url
  } catch (error) {
    await running.close()
    throw listenRefusal(error, port, host) ?? error
  }
}

/** Resolves when a signal has come and the application is closed: SIGTERM is an orderly stop, SIGINT an interruption. */
function untilStopped(running: Running<unknown>): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    endGracefully((signal) => {
      running.close().then(() => resolve(signal === "SIGTERM" ? EXIT.ok : EXIT.interrupted), reject)
    })
  })
}
