import type { Running } from "../assembly/definition.ts"
import { describe } from "../assembly/describe.ts"
import { startApp } from "../assembly/start.ts"
import type { CallOptions, Meta } from "../contract/call.ts"
import type { Operation } from "../contract/operation.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { CallOutcome, CallRequest } from "./call.ts"
import { deadlineOf } from "./call-input.ts"
import { usage } from "./findings.ts"
import { loadApp } from "./load-app.ts"
import { noSuch } from "./targets.ts"

type Detailed = (input: unknown, options: CallOptions) => Promise<{ value: unknown; meta: Meta }>

/** Starts the application in this process, calls one of its operations, and closes it again. */
export async function callHere(request: CallRequest): Promise<CallOutcome> {
  const { app } = await loadApp(request.flags.app)
  const operation = operationOf(request, describe(app).operations)
  // Warnings and errors only, and away from the answer.
  const running = await startApp(app, { logOptions: { destination: process.stderr, level: "warn" } })
  try {
    const call = callerOf(running, request)
    const deadline = deadlineOf(request.flags.deadline)
    return await call(inputFor(operation, request.input), { signal: request.signal, ...(deadline === undefined ? {} : { deadline }) })
  } catch (error) {
    if (!TrestleError.is(error)) throw error
    const { code, detail, issues, trace, outcome, retryAfterMs } = error
    return { failure: { code, detail, issues, trace, outcome, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } }
  } finally {
    await running.close()
  }
}

function operationOf({ operation: path, principal }: CallRequest, operations: readonly Operation[]): Operation {
  const operation = operations.find((one) => one.path === path)
  if (!operation) {
    throw noSuch(
      path,
      operations.map((one) => one.path),
    )
  }
  if (principal && !operation.route)
    throw usage(`${path} is internal: nobody calls it from outside`, "Leave --as out to call it with the application's own authority.")
  return operation
}

/** An operation that takes an object is called with an empty one when no input is given, as over HTTP. */
function inputFor(operation: Operation, input: unknown): unknown {
  return input === undefined && operation.input.json.type !== "null" ? {} : input
}

function callerOf(running: Running<unknown>, { operation, principal }: CallRequest): Detailed {
  let node: unknown = principal ? running.as(principal) : running.internal()
  for (const key of operation.split(".")) node = (node as Record<string, unknown>)[key]
  return (node as { detailed: Detailed }).detailed
}
