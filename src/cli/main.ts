import { Console } from "node:console"
import type { Finding } from "../contract/finding.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { EXIT, type ExitCode, Stop } from "./exit.ts"
import { unfinishedImport } from "./import-file.ts"
import { installSignals } from "./interrupt.ts"
import { runCommand, verbOf } from "./program.ts"
import { printReport } from "./report.ts"

/** Runs one command line and ends the process. Importing this module does nothing. */
export async function main(argv: readonly string[]): Promise<void> {
  bePolite()
  installSignals()
  const isJson = isJsonWanted(argv)
  const verb = verbOf(argv)
  process.once("exit", (code) => {
    const unfinished = unfinishedImport(code)
    if (unfinished) process.exitCode = ended(EXIT.noLoad, [unfinished], verb, isJson)
  })
  const exit = await runCommand(argv).catch((error: unknown) => failed(error, verb, isJson))
  await written(process.stdout)
  await written(process.stderr)
  // Whatever the application left running (timers, pools) must not keep a finished command alive.
  process.exit(exit)
}

function failed(error: unknown, verb: string, isJson: boolean): ExitCode {
  if (error instanceof Stop) return ended(error.exit, error.findings, verb, isJson)
  if (TrestleError.is(error) && error.code === "START_REFUSED" && error.findings.length > 0)
    return ended(EXIT.noLoad, error.findings as Finding[], verb, isJson)
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`This is a mistake in Trestle, please report it with these lines:\n${stack}\n`)
  if (isJson) printReport(verb, { exit: EXIT.bug, summary: { bug: String(error) } }, true)
  return EXIT.bug
}

function ended(exit: ExitCode, findings: readonly Finding[], verb: string, isJson: boolean): ExitCode {
  printReport(verb, { exit, findings, summary: { errors: findings.length } }, isJson)
  return exit
}

/** Even a command line that cannot be understood is answered in the form it asks for. */
function isJsonWanted(argv: readonly string[]): boolean {
  const end = argv.indexOf("--")
  return (end === -1 ? argv : argv.slice(0, end)).includes("--json")
}

function bePolite(): void {
  // `trestle status | head -1`: the reader has what it wants.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok)
    process.stderr.write(`trestle: the result cannot be written to standard output: ${error.message}\n`)
    process.exit(EXIT.found)
  })
  process.stderr.on("error", () => {})
  // stdout is for results; what the application prints while it loads or answers is none.
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr })
  // Node 22 warns of running TypeScript, which is what was asked for.
  const heard = process.listeners("warning")
  process.removeAllListeners("warning")
  process.on("warning", (warning) => {
    if (!/Type Stripping/.test(warning.message)) for (const listener of heard) listener.call(process, warning)
  })
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => (stream.writable ? stream.write("", () => resolve()) : resolve()))
}
