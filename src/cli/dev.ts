import type { Command } from "commander"
import { listeningUrl } from "../base/listening-url.ts"
import { Door } from "./dev-door.ts"
import type { FromVersion } from "./dev-messages.ts"
import { Screen } from "./dev-screen.ts"
import { Version } from "./dev-version.ts"
import { Watch } from "./dev-watch.ts"
import { EXIT, type ExitCode } from "./exit.ts"
import { findingsText } from "./findings-text.ts"
import { endGracefully } from "./interrupt.ts"
import { type Paint, paintFor, shown } from "./paint.ts"
import type { Run } from "./program.ts"
import { printReport, type Report } from "./report.ts"
import { shortPath } from "./short-path.ts"
import { APP_FLAG } from "./status.ts"

interface DevFlags {
  readonly port?: string
  readonly host?: string
  readonly app?: string
}

const HELP = `
Examples:
  trestle dev
  trestle dev src/app.ts --port 4001

Starts the application anew when one of its files changes, and keeps the port:
who calls meanwhile is answered by the old version, or waits. A change that does
not load leaves the last good version serving. Placeholders are welcome.
`

export function addDev(program: Command, run: Run): void {
  program
    .command("dev")
    .summary("Serve while you write: reload on change, one line a call")
    .description("Serve the application while you write it: reload on change, one line a call.")
    .argument("[app]", "the file that exports the application, as --app")
    .option("--port <port>", "0 takes a free one (default: PORT, else 4000)")
    .option("--host <address>", "0.0.0.0 for every network (default: 127.0.0.1, this machine only)")
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((app: string | undefined, flags: DevFlags) =>
      run("dev", ({ isJson }) => dev({ ...flags, ...(app === undefined ? {} : { app }) }, isJson)),
    )
}

async function dev(flags: DevFlags, isJson: boolean): Promise<Report> {
  const [{ loadEnvironment }, { listenRefusal, portFrom }] = await Promise.all([
    import("../config/environment.ts"),
    import("./listening.ts"),
  ])
  const environment = loadEnvironment({ folder: process.cwd(), environment: "development" })
  const port = portFrom(flags.port, environment)
  const host = flags.host ?? "127.0.0.1"
  const door = new Door()
  const address = await door.listen(port, host).catch((error: unknown) => {
    throw listenRefusal(error, port, host) ?? error
  })
  const url = listeningUrl(address)
  const session = new DevSession(door, { url, isJson, ...(flags.app === undefined ? {} : { app: flags.app }) })
  session.reload([])
  const signal = await new Promise<"SIGINT" | "SIGTERM">((resolve) => endGracefully(resolve))
  await session.end()
  const exit: ExitCode = signal === "SIGINT" ? EXIT.interrupted : EXIT.ok
  return { exit, summary: { url }, isPrinted: true }
}

interface SessionOptions {
  readonly url: string
  readonly app?: string
  readonly isJson: boolean
}

/** The versions of one `trestle dev`: at most one that serves, at most one that is being started, and those that are leaving. */
class DevSession {
  readonly #door: Door
  readonly #options: SessionOptions
  readonly #screen: Screen
  readonly #watch: Watch
  readonly #paint: Paint = paintFor(process.stdout)
  readonly #all = new Set<Version>()
  #serving: Version | null = null
  #starting: Version | null = null
  #startedAt = 0
  #hasBeenReady = false
  /** It has crashed since the last change; a second time it waits for one. */
  #hasCrashed = false
  #isEnding = false

  constructor(door: Door, options: SessionOptions) {
    this.#door = door
    this.#options = options
    const { stdout, stderr } = process
    const out = options.isJson ? stderr : stdout
    this.#screen = new Screen({
      write: (text) => void out.write(text),
      paint: this.#paint,
      columns: () => (out.isTTY ? out.columns : null),
    })
    this.#watch = new Watch((files) => {
      this.#hasCrashed = false
      this.reload(files)
    })
    // Whatever ends this process, no version outlives it.
    process.on("exit", () => {
      for (const version of this.#all) version.kill()
    })
  }

  /** Starts a version from what the files are now; the one that serves goes on until the new one is ready. */
  reload(changed: readonly string[]): void {
    if (this.#isEnding) return
    if (changed.length > 0) this.#say("dim", `${changed.map((file) => shortPath(file)).join(", ")} changed, reloading`)
    // What it began to load is old already.
    this.#starting?.kill()
    if (!this.#serving) this.#door.hold()
    this.#startedAt = performance.now()
    const { url, app } = this.#options
    const args = ["--url", url, ...(app === undefined ? [] : ["--app", app]), ...(this.#paint("bold", "") === "" ? [] : ["--colour"])]
    const version = new Version(args, {
      message: (from, message) => this.#hear(from, message),
      printed: (text) => this.#screen.say(text),
      ended: (from, how) => this.#ended(from, how),
    })
    this.#starting = version
    this.#all.add(version)
  }

  async end(): Promise<void> {
    this.#isEnding = true
    this.#watch.close()
    this.#starting?.kill()
    const closed = this.#door.close()
    await Promise.all([...this.#all].map((version) => version.leave()))
    this.#door.slam()
    await closed
    this.#screen.flush()
  }

  #hear(version: Version, message: FromVersion): void {
    if (message.kind === "files") this.#watch.follow(message.files)
    else if (message.kind === "lines") this.#show(message.lines)
    else if (version !== this.#starting) return
    else if (message.kind === "ready") this.#ready(version, message)
    else this.#refused(version, message)
  }

  #show(lines: string): void {
    if (this.#options.isJson) process.stderr.write(lines)
    else this.#screen.lines(lines)
  }

  #ready(version: Version, { port, banner, operations }: FromVersion & { kind: "ready" }): void {
    const old = this.#serving
    this.#starting = null
    this.#serving = version
    this.#watch.isCurious = false
    this.#door.lead(port)
    this.#screen.know(operations)
    void old?.leave()
    if (this.#hasBeenReady) return this.#say("green", `✓ ready in ${Math.round(performance.now() - this.#startedAt)} ms`)
    this.#hasBeenReady = true
    const { isJson, url } = this.#options
    if (isJson) printReport("dev", { exit: EXIT.ok, summary: { url, operations: Object.keys(operations).length } }, true)
    else this.#screen.say(banner)
  }

  #refused(version: Version, { findings }: FromVersion & { kind: "refused" }): void {
    this.#starting = null
    void version.leave()
    // The file that is missing may be any.
    this.#watch.isCurious = true
    this.#screen.say(`${findingsText(findings, this.#paint)}`)
    this.#stuck("✗ not reloaded")
  }

  #ended(version: Version, how: string): void {
    this.#all.delete(version)
    if (version.isLeaving || this.#isEnding) return
    const isNew = version === this.#starting
    if (isNew) this.#starting = null
    else this.#serving = null
    this.#say("red", `✗ the application has crashed (${how})${isNew ? " while it started" : ""}`)
    if (isNew || this.#hasCrashed) return this.#stuck("✗ not started again")
    this.#hasCrashed = true
    this.reload([])
  }

  /** Who serves meanwhile, and what ends the wait. */
  #stuck(what: string): void {
    if (!this.#serving) this.#door.refuse()
    this.#say("red", `${what}: ${this.#serving ? "the last good version goes on serving, until a file changes" : "waiting for a change"}`)
  }

  #say(colour: "dim" | "green" | "red", text: string): void {
    this.#screen.say(`${this.#paint("dim", new Date().toTimeString().slice(0, 8))}  ${this.#paint(colour, shown(text))}\n`)
  }
}
