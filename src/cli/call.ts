import type { Command } from "commander"
import type { ToldMeta } from "../contract/call.ts"
import type { Principal } from "../contract/principal.ts"
import type { CallFailure } from "./call-failure.ts"
import { EXIT, type ExitCode } from "./exit.ts"
import { usage } from "./findings.ts"
import { endGracefully } from "./interrupt.ts"
import { shown } from "./paint.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"

export interface CallFlags {
  readonly as?: string
  readonly url?: string
  readonly key?: string
  readonly deadline?: string
  readonly app?: string
}

/** What is to be called, by whom, and how to give it up. */
export interface CallRequest {
  readonly operation: string
  /** `undefined`: none was given. */
  readonly input: unknown
  readonly flags: CallFlags
  readonly principal: Principal | null
  readonly signal: AbortSignal
}

export type CallOutcome = { readonly value: unknown; readonly meta: ToldMeta } | { readonly failure: CallFailure }

const HELP = `
Examples:
  trestle call notes.create '{"text":"hello"}'
  trestle call notes.create @note.json
  jq -c .note mail.json | trestle call notes.create -
  trestle call notes.list --as '{"id":"ada","kind":"user","roles":["reader"]}'
  trestle call notes.list --url http://localhost:4000 --key NOTES_KEY

Without --as and --url the call has the application's own authority: rules about
callers do not apply. Exits 2 for an input that does not fit, 4 when a backend
or the server gave no answer that can be trusted, 5 when refused, 6 when the
operation failed with any other error.
`

export function addCall(program: Command, run: Run): void {
  program
    .command("call")
    .summary("Call one operation, print its answer")
    .description("Call one operation and print its answer as JSON.")
    .argument("<operation>", "its path: notes.create")
    .argument("[input]", "JSON text, @file, or - for stdin (default: no input)")
    .option("--as <principal>", 'call as somebody, given as JSON: \'{"id":"ada","kind":"user"}\'')
    .option("--url <url>", "call a running server instead of starting the application here")
    .option("--key <variable>", "with --url: the environment variable that holds the API key")
    .option("--deadline <duration>", 'when the call must end: "3s" (default: the operation\'s own; 30s with --url)')
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((operation: string, input: string | undefined, flags: CallFlags) => run("call", () => call(operation, input, flags)))
}

async function call(operation: string, inputText: string | undefined, flags: CallFlags): Promise<Report> {
  const { deadlineOf, inputOf, principalOf } = await import("./call-input.ts")
  if (flags.url !== undefined && flags.as !== undefined)
    throw usage("--as and --url do not go together", "A server decides by the credential who calls: --key NAME_OF_VARIABLE")
  if (flags.url === undefined && flags.key !== undefined)
    throw usage("--key is for calling a server", 'Add --url http://localhost:4000, or say who calls: --as \'{"id":"ada","kind":"user"}\'')
  deadlineOf(flags.deadline)
  const giveUp = new AbortController()
  const request: CallRequest = {
    operation,
    input: await inputOf(inputText),
    flags,
    principal: principalOf(flags.as),
    signal: giveUp.signal,
  }
  endGracefully(() => giveUp.abort())
  const outcome = await (flags.url === undefined
    ? (await import("./call-here.ts")).callHere(request)
    : (await import("./call-server.ts")).callServer(request, flags.url))
  return "failure" in outcome ? failed(operation, outcome.failure, giveUp.signal.aborted) : answered(operation, outcome)
}

function answered(operation: string, { value, meta }: { readonly value: unknown; readonly meta: ToldMeta }): Report {
  return {
    exit: EXIT.ok,
    summary: { operation, ...meta },
    json: { value },
    ...(value === undefined ? {} : { text: `${JSON.stringify(value, null, 2)}\n` }),
    notes: metaLine(operation, meta),
  }
}

/** One line on who answered; a server tells only those who may see it. */
function metaLine(operation: string, { servedBy, attempts, ms, degraded, trace }: ToldMeta): string {
  const by = servedBy === undefined ? "" : ` by ${servedBy}`
  const parts = [
    ms === undefined ? "" : `${Math.round(ms)} ms`,
    attempts ? `${attempts} ${attempts === 1 ? "attempt" : "attempts"}` : "",
    degraded && degraded.why !== "unknown" ? `degraded: ${degraded.why}` : "",
    trace && `trace ${trace}`,
  ]
  return `${shown([`${operation} answered${by}`, ...parts.filter(Boolean)].join(", "))}\n`
}

async function failed(operation: string, failure: CallFailure, isInterrupted: boolean): Promise<Report> {
  const { exitOf, findingOf } = await import("./call-failure.ts")
  const exit: ExitCode = isInterrupted ? EXIT.interrupted : exitOf(failure.code)
  const { code, outcome, trace } = failure
  return { exit, findings: [findingOf(operation, failure)], summary: { operation, code, outcome, trace }, json: { error: failure } }
}
