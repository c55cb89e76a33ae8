import { nearest } from "../base/nearest.ts"
import { ClientError, createClient } from "../client/index.ts"
import { loadEnvironment } from "../config/environment.ts"
import type { CallOptions, ToldMeta } from "../contract/call.ts"
import type { CallOutcome, CallRequest } from "./call.ts"
import type { CallFailure } from "./call-failure.ts"
import { deadlineOf } from "./call-input.ts"
import { usage } from "./findings.ts"
import { noSuch } from "./targets.ts"

const DEADLINE = "30s"
const DOCUMENT_MS_MAX = 5_000

/** Calls an operation of a running server through its rpc entrance, as any remote caller would. */
export async function callServer(request: CallRequest, url: string): Promise<CallOutcome> {
  const base = baseOf(url)
  const key = request.flags.key === undefined ? undefined : keyFrom(request.flags.key)
  if (key !== undefined) warnOfPlainText(base)
  const deadline = deadlineOf(request.flags.deadline) ?? DEADLINE
  try {
    const call = callerOf(base, request, key)
    return await call(request.input, { signal: request.signal, deadline })
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    if (error.code === "NOT_FOUND") await refuseUnknown(base, request.operation)
    return { failure: failureOf(error, base) }
  }
}

type Detailed = (input: unknown, options: CallOptions) => Promise<{ value: unknown; meta: ToldMeta }>

function callerOf(url: string, { operation }: CallRequest, key: string | undefined): Detailed {
  // It becomes part of an address: anything but a path of names would lead elsewhere.
  if (!/^[\w$-]+(\.[\w$-]+)*$/.test(operation)) throw noSuch(operation, [])
  let node: any = createClient<{ ops: any }>({ url, ...(key === undefined ? {} : { token: () => key }) })
  for (const name of operation.split(".")) node = node?.[name]
  if (!node) throw noSuch(operation, [])
  return node.detailed
}

export function baseOf(url: string): string {
  const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
  if (!isHttp) throw usage(`--url is no address: "${url}"`, "Write it in full: --url http://localhost:4000")
  return url.replace(/\/+$/, "")
}

/** The key itself never stands on a command line, where the shell's history and the process list would keep it. */
export function keyFrom(name: string): string {
  if (/^trs_/.test(name))
    throw usage(
      "--key takes the name of an environment variable, not the key itself",
      "Put the key in .env.local as NOTES_KEY=trs_..., then: --key NOTES_KEY. This key is now in your shell's history: revoke it.",
    )
  const environment = loadEnvironment({ folder: process.cwd() })
  const value = environment.get(name)?.value
  if (value) return value
  const guess = nearest(name, environment.names())
  throw usage(
    `the variable ${name} is not set`,
    guess ? `Did you mean ${guess}?` : `Put ${name}=trs_... in .env.local, or set it in the shell.`,
  )
}

export function warnOfPlainText(base: string): void {
  const { protocol, hostname } = new URL(base)
  if (protocol === "https:" || /^(localhost|127\..*|\[::1\])$/.test(hostname)) return
  process.stderr.write(`warning: the key goes to ${hostname} unencrypted; use https outside a network that you trust\n`)
}

/** "Not found" may be the operation's own answer; the server's document knows. Where it is not given, the answer stands. */
async function refuseUnknown(base: string, operation: string): Promise<void> {
  const paths: string[] = await fetch(`${base}/openapi.json`, { signal: AbortSignal.timeout(DOCUMENT_MS_MAX) })
    .then((reply) => reply.json())
    .then((document: any) =>
      Object.values(document.paths).flatMap((item: any) =>
        Object.values(item).flatMap((one: any) => (one.operationId === undefined ? [] : [String(one.operationId)])),
      ),
    )
    .catch(() => [])
  if (paths.length > 0 && !paths.includes(operation)) throw noSuch(operation, paths)
}

function failureOf(error: ClientError, base: string): CallFailure {
  const { code, issues, trace, outcome, retryAfterMs, status } = error
  const why = causeOf(error)
  // A connection that was never made carried nothing.
  const isUnsent = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(why)
  const failure = {
    code,
    issues,
    trace,
    outcome: isUnsent ? "refused" : outcome,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  } as const
  // Without a support id the answer did not come from the application.
  if (code !== "UNAVAILABLE" || trace !== "") return { ...failure, detail: error.detail }
  if (status > 0) return { ...failure, detail: `${base} answered ${status}, but not as a Trestle application does. Is the address right?` }
  return { ...failure, detail: `no answer from ${base}${why ? ` (${why})` : ""}. Is it running? Start it with: trestle serve` }
}

function causeOf(error: ClientError): string {
  const inner = (error.cause as { cause?: { code?: unknown } } | undefined)?.cause?.code
  return typeof inner === "string" ? inner : ""
}
