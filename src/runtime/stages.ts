import type { Operation } from "../contract/operation.ts"
import type { Call } from "./call.ts"

/** One step of a call. Ends it by throwing; takes no promise where it need not wait. */
export type Stage = (call: Call) => void | Promise<void>

/** Makes the stage of one operation, once, at the start; `null` where that operation has nothing to do there. */
export type StageMaker = (operation: Operation) => Stage | null

/**
 * The way of one call, in its fixed order. Only values can be configured, never the order: the wrong order is how timeouts never trip
 * a breaker and how bodies of strangers are parsed. `entrance` stages run only for calls that come over a network.
 * Compared with `docs/explanation/life-of-a-call.md` by a test.
 */
export const STAGES = [
  { name: "admit", at: "entrance" },
  { name: "address limit", at: "entrance" },
  { name: "firewall: head", at: "entrance" },
  { name: "authenticate", at: "entrance" },
  { name: "principal limit", at: "entrance" },
  { name: "read", at: "entrance" },
  { name: "authenticate: body", at: "entrance" },
  { name: "decode", at: "entrance" },
  { name: "firewall: body", at: "entrance" },
  { name: "validate input", at: "every call" },
  { name: "authorize", at: "every call" },
  { name: "idempotency", at: "every call" },
  { name: "call", at: "every call" },
  { name: "encode", at: "every call" },
] as const

export type StageName = (typeof STAGES)[number]["name"]

/** Goes round the call itself: it may answer in its place, and hears how it ended. */
export type Around = (asking: Stage) => Stage

export type StageMakers = Readonly<
  Partial<Record<Exclude<StageName, "idempotency">, StageMaker>> & { idempotency?: (operation: Operation) => Around | null }
>

/** Folds an operation's stages into one function; what has nothing to do leaves no trace in it. */
export function compileStages(operation: Operation, makers: StageMakers, isEntrance: boolean): Stage {
  const stages: Stage[] = []
  let around: Around | null = null
  for (const { name, at } of STAGES) {
    if (at === "entrance" && !isEntrance) continue
    if (name === "idempotency") {
      around = makers.idempotency?.(operation) ?? null
      continue
    }
    const stage = makers[name]?.(operation)
    if (stage) stages.push(name === "call" && around ? around(stage) : stage)
  }
  return stages.reduceRight((next, stage) => inOrder(stage, next))
}

function inOrder(stage: Stage, next: Stage): Stage {
  return (call) => {
    const waiting = stage(call)
    return waiting === undefined ? next(call) : waiting.then(() => (call.stopped ? undefined : next(call)))
  }
}
