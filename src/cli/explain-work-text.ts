import { showDuration } from "../base/duration.ts"
import { asTyped } from "./as-typed.ts"
import type { Fate, FlowFacts, Runs } from "./explain-work.ts"

type Line = readonly [label: string, value: string]

export function runLines({ times, pauses, topic }: Runs): Line[] {
  const inAll = pauses.reduce((sum, ms) => sum + ms, 0)
  const shownPauses =
    pauses.length > 4 ? [...pauses.slice(0, 3).map(showDuration), "...", showDuration(pauses.at(-1)!)] : pauses.map(showDuration)
  const tried = times === 1 ? "once" : `${times} times; pauses of up to ${shownPauses.join(", ")}, together ${showDuration(inAll)} at most`
  return [
    ["tried", tried],
    ...(topic === null ? [] : [["while away", "a service that is not there is waited for, a day long, without counting"] as const]),
    ["then", thenText(topic)],
  ]
}

function thenText(topic: Runs["topic"]): string {
  if (topic === null || topic.onDead === null) return "dead: kept until a person decides; the others go on"
  return topic.onDead === "block"
    ? "dead: the later messages of its key wait until a person decides (onDead: block)"
    : "dead: kept until a person decides; the later messages of its key go on (onDead: skip)"
}

/** `on order.placed v1, in order per key`; `every 10s, next 2026-11-22 17:50:10 UTC`. */
export function startedBy({ topic, every }: Runs): string[] {
  return [
    ...(topic ? [`on ${topic.name} v${topic.version}, ${topic.onDead === null ? "in no order" : "in order per key"}`] : []),
    ...(every
      ? [`${every.text}, ${every.nextAt === null ? "never again" : `next ${every.nextAt.slice(0, 19).replace("T", " ")} UTC`}`]
      : []),
  ]
}

/** What becomes of the message, or of a scheduled run. */
export function fateText(fate: Fate, { topic, times }: Runs): string {
  const subject = topic === null ? "the run" : "the message"
  const then = `${times} ${times === 1 ? "run" : "runs"} in all, then dead`
  if (fate === "waits") return `${subject} waits for it, a day without counting; from then on ${then}`
  if (fate === "again") return `${subject} is tried again, ${then}`
  if (fate === "dead") return `${subject} is dead at once: another run changes nothing`
  return fate === "parked" ? `${subject} is parked: a person decides` : `${subject} is done`
}

export function flowLines({ kept, withinMs, grants, databases }: FlowFacts): Line[] {
  const steps: Line = ["steps", "its function asks for them, and no declaration knows them"]
  const may: Line = ["may run", grants.length === 0 ? "what its caller may" : `what its caller may, and ${grants.join(", ")} (grants)`]
  if (kept === "nothing") return [["kept", "nothing: it reads, and runs in its caller's call"], steps, may]
  const isKept = kept === "store"
  return [
    [
      "kept",
      isKept ? "in the store: after a crash it goes on where it was" : "in memory alone: what it has begun is lost with the process",
    ],
    [steps[0], isKept ? `${steps[1]}; of a run: ${asTyped("trestle jobs show <id>")}` : steps[1]],
    may,
    ...(databases.length > 0 ? [["databases", databases.join(", ")] as const] : []),
    ["fails", "where a step fails, or its function: what was done is undone, last first"],
    [
      "unknown",
      isKept ? "a step that another run cannot decide is parked: a person says what happened" : "nobody goes on with it: OUTCOME_UNKNOWN",
    ],
    ...(isKept ? [["within", `${showDuration(withinMs)}; then what was done is undone: TIMEOUT`] as const] : []),
  ]
}
