import type { Redactor } from "../base/redact.ts"
import type { Meta } from "../contract/call.ts"
import type { FileBody } from "../contract/file-body.ts"
import type { Finding } from "../contract/finding.ts"
import type { Run } from "../contract/op.ts"
import type { Operation } from "../contract/operation.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { cliFinding } from "./findings.ts"

/** What became of one operation. */
export interface Verification {
  readonly operation: string
  /** Every promise kept; one broken; nothing to try it with; not meant to be tried. */
  readonly result: "held" | "broken" | "untried" | "skipped"
  /** Of the slowest call. */
  readonly ms: number | null
  readonly servedBy: string | null
  /** How many inputs were tried. */
  readonly tried: number
  /** What broke, or why it was not tried; for the operator. */
  readonly why: string | null
  /** No answer could be had of a service: that says nothing of the contract. */
  readonly isUnreachable: boolean
  /** Of what broke. */
  readonly finding: Finding | null
}

export type Detailed = (input: unknown, options: { signal: AbortSignal }) => Promise<{ value: unknown; meta: Meta }>

export interface VerifyParts {
  readonly call: Detailed
  readonly run: Run
  readonly redactor: Redactor
  readonly signal: AbortSignal
  readonly withWrites: boolean
}

/** Tries one operation with each input that its declaration offers, one after the other; the first that breaks ends it. */
export async function verifyOperation(operation: Operation, parts: VerifyParts): Promise<Verification> {
  if (operation.state === "placeholder") return skipped(operation, `placeholder: ${operation.why}`)
  if (operation.effect === "write" && !parts.withWrites) return skipped(operation, "a write: only with --writes")
  const inputs = inputsOf(operation)
  if (inputs.length === 0) return untried(operation)
  let slowestMs = 0
  let servedBy = ""
  for (const [index, input] of inputs.entries()) {
    const seen = await tryOnce(input, operation, parts)
    if ("why" in seen) return broken(operation, seen, index + 1)
    slowestMs = Math.max(slowestMs, seen.ms)
    servedBy = seen.servedBy
  }
  const ms = Math.round(slowestMs)
  return { operation: operation.path, result: "held", ms, servedBy, tried: inputs.length, why: null, isUnreachable: false, finding: null }
}

/** A read that takes nothing, or nothing it needs, is its own example. */
function inputsOf({ effect, declaration: { contract }, input: { json } }: Operation): readonly unknown[] {
  if (effect === "write") return contract.verify ? [contract.verify.input] : []
  const examples = (contract.examples ?? []).map((example) => example.input)
  if (examples.length > 0) return examples
  if (json.type === "null") return [undefined]
  return json.type === "object" && (json.required ?? []).length === 0 ? [{}] : []
}

interface Broken {
  readonly why: string
  readonly fix: string
  readonly isUnreachable?: boolean
}

async function tryOnce(input: unknown, operation: Operation, { call, run, redactor, signal }: VerifyParts): Promise<Meta | Broken> {
  const cleanup = operation.effect === "write" ? operation.declaration.contract.verify?.cleanup : undefined
  let answer: { value: unknown; meta: Meta }
  try {
    answer = await call(input, { signal })
    await taken(answer.value, operation)
  } catch (error) {
    return { ...failureOf(error), why: redactor.text(reasonOf(error)) }
  }
  const mess = cleanup ? await cleaned(() => cleanup(answer.value, run)) : null
  if (mess !== null) {
    const why = redactor.text(`it answered, but cleanup failed: ${mess}`)
    return { why, fix: "What it wrote is still there: take it back by hand, and correct cleanup." }
  }
  const { degraded, servedBy } = answer.meta
  if (degraded)
    return { why: redactor.text(`degraded: ${degraded.why}`), fix: "It was not the first choice that answered; see why that one failed." }
  if (servedBy.split("+").includes("placeholder"))
    return { why: "a placeholder inside it answered", fix: "Give the operation that it runs a real backend first." }
  return answer.meta
}

const PIECES_MAX = 100

/** What comes piece by piece is checked piece by piece; so many of them tell, and leaving early ends the call. */
async function taken(value: unknown, { output }: Operation): Promise<void> {
  const pieces = output.items ? (value as AsyncIterable<unknown>) : output.file ? (value as FileBody).stream() : []
  let count = 0
  for await (const _ of pieces) if (++count >= PIECES_MAX) break
}

async function cleaned(cleanup: () => unknown): Promise<string | null> {
  try {
    await cleanup()
    return null
  } catch (error) {
    return reasonOf(error)
  }
}

/** Code, what callers hear, and what only the operator may know. */
function reasonOf(error: unknown): string {
  if (!TrestleError.is(error)) return error instanceof Error ? error.message : String(error)
  const issues = error.issues.map(({ path, message }) => `${path || "the whole input"}: ${message}`).join("; ")
  const cause = error.cause instanceof Error ? error.cause.message : ""
  return `${error.code}: ${[error.note ?? error.detail, issues, cause].filter(Boolean).join("; ")}`
}

const FIXES: Readonly<Record<string, string>> = {
  INVALID: "Correct the input of the example.",
  NOT_FOUND: "Take an input whose object is there, at the real service.",
  INTERNAL: "Correct the mapping, the output schema, or the service.",
  OUTCOME_UNKNOWN: "It may have happened: look at the service before you try again.",
  UNAVAILABLE: "See that the service can be reached and takes our credential.",
  TIMEOUT: "See that the service can be reached, or give it more time.",
}

function failureOf(error: unknown): Omit<Broken, "why"> {
  const code = TrestleError.is(error) ? error.code : "INTERNAL"
  return { fix: FIXES[code] ?? "Take an input that the real service answers.", isUnreachable: code === "UNAVAILABLE" || code === "TIMEOUT" }
}

function broken({ path, declaration }: Operation, { why, fix, isUnreachable = false }: Broken, tried: number): Verification {
  const finding = cliFinding("TRS3012", `${path}: ${why}`, fix, { place: declaration.at })
  return { operation: path, result: "broken", ms: null, servedBy: null, tried, why, isUnreachable, finding }
}

function untried({ path, effect }: Operation): Verification {
  const why = effect === "write" ? "no verify" : "no example"
  return { operation: path, result: "untried", ms: null, servedBy: null, tried: 0, why, isUnreachable: false, finding: null }
}

function skipped({ path }: Operation, why: string): Verification {
  return { operation: path, result: "skipped", ms: null, servedBy: null, tried: 0, why, isUnreachable: false, finding: null }
}
