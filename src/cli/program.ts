import { Command, CommanderError } from "commander"
import { VERBS } from "./as-typed.ts"
import { addCall } from "./call.ts"
import { addClient } from "./client.ts"
import { addDb } from "./db.ts"
import { addDev } from "./dev.ts"
import { addDevChild } from "./dev-child.ts"
import { addDoctor } from "./doctor.ts"
import { EXIT, type ExitCode, type Stop } from "./exit.ts"
import { addExplain } from "./explain.ts"
import { addFaults } from "./faults.ts"
import { didYouMean, usage } from "./findings.ts"
import { addInit } from "./init.ts"
import { addJobs } from "./jobs.ts"
import { addKeys } from "./keys.ts"
import { addOpenapi } from "./openapi.ts"
import { addOutbox } from "./outbox.ts"
import { versionOfPackage } from "./package-version.ts"
import { printReport, type Report } from "./report.ts"
import { addServe } from "./serve.ts"
import { addStatus } from "./status.ts"
import { addVerify } from "./verify.ts"

/** How a verb hands in its work: the program runs it and prints its report. */
export type Run = (verb: string, work: (options: { readonly isJson: boolean }) => Promise<Report>) => Promise<void>

const ADD_VERBS = [
  addInit,
  addDev,
  addServe,
  addStatus,
  addDoctor,
  addCall,
  addExplain,
  addVerify,
  addFaults,
  addJobs,
  addOutbox,
  addKeys,
  addOpenapi,
  addClient,
  addDb,
  addDevChild,
]

const EXAMPLES = `
Examples:
  trestle init notes                            begin an application
  trestle dev                                   serve it while you write it
  trestle status                                what is still a placeholder
  trestle call notes.create '{"text":"hello"}'  call it, without a server

Exit codes:
  0  done             4  a backend cannot be reached    70  a mistake in Trestle
  1  found problems   5  refused                       130  interrupted
  2  wrong usage      6  the operation failed
  3  the application does not load or start
`

/**
 * Parses a command line and runs its verb. The verbs' files are light: each imports what it works with when it runs.
 *
 * @throws {Stop} wrong usage, with the nearest match.
 */
export async function runCommand(argv: readonly string[]): Promise<ExitCode> {
  let exit: ExitCode = EXIT.ok
  const program = createProgram((report, verb, isJson) => {
    printReport(verb, report, isJson)
    exit = report.exit
  })
  try {
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync([...argv], { from: "user" })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) throw misunderstood(error, program, argv)
  }
  return exit
}

function createProgram(done: (report: Report, verb: string, isJson: boolean) => void): Command {
  const program = new Command("trestle")
  const run: Run = async (verb, work) => {
    const isJson = activeCommand(program, program.args).opts().json === true
    done(await work({ isJson }), verb, isJson)
  }
  program
    .description("Typed operations over the systems you depend on: serve them, call them, see which are real.")
    .version(versionOfPackage(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .usage("<verb> [target] [--flags]")
    .addHelpText("after", EXAMPLES)
    .action(() => program.outputHelp())
  for (const add of ADD_VERBS) add(program, run)
  for (const command of allCommands(program)) quiet(command)
  return program
}

/** Errors are ours to print: in the same form as every other finding. */
function quiet(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .showSuggestionAfterError(false)
    .showHelpAfterError(false)
  command.helpOption("-h, --help", "print help").helpCommand(false)
  if (command.commands.length === 0) command.option("--json", "print one JSON document: schema, ok, findings, summary")
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

function activeCommand(program: Command, argv: readonly string[]): Command {
  let active = program
  for (const word of argv) {
    const inner = active.commands.find((one) => one.name() === word)
    if (inner) active = inner
  }
  return active
}

function misunderstood(error: CommanderError, program: Command, argv: readonly string[]): Stop {
  const active = activeCommand(program, argv)
  const inner = active.commands.map((one) => one.name())
  const name = active.parent && active.parent !== program ? `${active.parent.name()} ${active.name()}` : active.name()
  const help = `See: ${active === program ? "trestle" : `trestle ${name}`} --help`
  // A mistyped verb comes before its flags: of them nothing can be known.
  const verb = inner.length > 0 ? argv.find((word) => !word.startsWith("-") && word !== active.name()) : undefined
  if (verb !== undefined) return unknown("verb", verb, inner, help)
  if (error.code === "commander.unknownOption") {
    const flags = active.options.map(({ long }) => long ?? "")
    return unknown("flag", /'([^']+)'/.exec(error.message)?.[1] ?? "", flags, help)
  }
  if (error.code === "commander.help") return usage(`${name} needs one of: ${inner.join(", ")}`, help)
  return usage(error.message.replace(/^error: /, "").replaceAll("'", '"'), help)
}

function unknown(what: string, wrong: string, known: readonly string[], help: string): Stop {
  return usage(`there is no ${what} "${wrong}"`, didYouMean(wrong.replace(/=.*$/, ""), known, help))
}

/** The verb that a command line begins with, or `cli` where there is none such. */
export function verbOf(argv: readonly string[]): string {
  const word = argv.find((one) => !one.startsWith("-")) ?? ""
  return VERBS.includes(word) ? word : "cli"
}
