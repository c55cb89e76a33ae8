import { showDuration } from "../base/duration.ts"
import type { BackendNode, Effective, EffectivePolicies, Explanation, From } from "./explain-operation.ts"
import type { Attempts, Ending, Prediction } from "./explain-predictions.ts"
import type { Runs } from "./explain-work.ts"
import { fateText, flowLines, runLines, startedBy } from "./explain-work-text.ts"
import { type Paint, shown } from "./paint.ts"
import { shortPath } from "./short-path.ts"
import { paragraph } from "./table.ts"

interface Look {
  readonly paint: Paint
  readonly width: number
}

const LABEL_WIDTH = 12
const VALUE_WIDTH = 30

/** The way of an operation's calls, for people: who and how long, the backends with their policies, each failure, the worst case. */
export function explanationText(explanation: Explanation, look: Look): string {
  const sections = [headOf(explanation, look), backendOf(explanation, look), ...failuresOf(explanation, look), worstOf(explanation, look)]
  return `${sections
    .filter(({ length }) => length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`
}

function headOf(explanation: Explanation, { paint }: Look): string[] {
  const { operation, effect, at, entrances, runs, who, deadline, repeat, bodyBytesMax, shed, placeholder } = explanation
  return [
    `${paint("bold", operation)}   ${effect}   ${paint("dim", at === null ? "" : shown(shortPath(at)))}`,
    "",
    labelled("reached by", [...entrances, ...(runs ? startedBy(runs) : [])].map(shown).join(", ") || "nothing outside: it is internal"),
    ...(runs ? runLines(runs).map(([label, value]) => labelled(label, value)) : []),
    labelled("open to", shown(who.join("; "))),
    labelled("deadline", showDuration(deadline.value), sourceText(deadline.from), paint),
    ...(effect === "write" ? [labelled("called again", repeatText(repeat))] : []),
    ...(entrances.length > 0
      ? [
          labelled("body", `up to ${Math.round(bodyBytesMax.value / 1_024)}kb`, sourceText(bodyBytesMax.from), paint),
          labelled("overload", shedText(shed.value), sourceText(shed.from), paint),
        ]
      : []),
    ...(placeholder === null
      ? []
      : [labelled("placeholder", `${shown(placeholder)}${runs?.topic ? "; messages that it takes are gone" : ""}`)]),
  ]
}

function shedText(turnMs: number | null): string {
  return turnMs === null ? "never refused for it" : `refused at turns of ${showDuration(turnMs)}`
}

function repeatText({ value, keptMs }: Explanation["repeat"]): string {
  if (keptMs !== null) return `under one Idempotency-Key: one effect, the same answer for ${showDuration(keptMs)}`
  return value === "natural" ? "has no further effect" : "may have its effect again"
}

function labelled(label: string, value: string, source = "", paint: Paint = (_colour, text) => text): string {
  return `  ${label.padEnd(LABEL_WIDTH)} ${source === "" ? value : `${value.padEnd(VALUE_WIDTH)} ${paint("dim", source)}`}`
}

function backendOf({ backend }: Explanation, look: Look): string[] {
  if (!backend) return [look.paint("bold", "answered by"), "  the contract's own examples"]
  return [look.paint("bold", "answered by"), ...nodeLines(backend, 1, look)]
}

function nodeLines(node: BackendNode, depth: number, look: Look): string[] {
  const indent = "  ".repeat(depth)
  const { kind, service, asks, at, policies, parts } = node
  const name = service ? `${look.paint("cyan", shown(service.name))}  ${service.kind}` : kind
  const head = `${indent}${name}${asks ? `  ${shown(asks)}` : ""}${orderText(node)}${at ? `   ${look.paint("dim", shown(shortPath(at)))}` : ""}`
  const inner = policies ? policyLines(node, policies, indent, look) : []
  const flow = node.flow ? flowLines(node.flow).map(([label, value]) => `${indent}${labelled(label, shown(value))}`) : []
  return [head, ...inner, ...flow, ...parts.flatMap((part) => nodeLines(part, depth + 1, look))]
}

function orderText({ service, parts, keeps, flow }: BackendNode): string {
  if (parts.length > 1 && !service) return ": the first that can, in this order"
  if (keeps) return ": nothing is kept yet in what follows"
  return flow ? ": operations run as steps, each remembered once it is done" : ""
}

function policyLines(node: BackendNode, policies: EffectivePolicies, indent: string, { paint }: Look): string[] {
  const { timeout, retries, pauses, hedge, breaker, concurrency, concurrencyMin, queue } = policies
  const line = (label: string, value: string, from?: Effective<unknown>): string =>
    `${indent}${labelled(label, value, from ? sourceText(from.from) : "", paint)}`
  const waits = pauses.value.map(showDuration).join(", ")
  return [
    line("timeout", `${showDuration(timeout.value)} an attempt`, timeout),
    line("repeats", retries.value === 0 ? "none" : `at most ${retries.value}`, retries),
    ...(retries.value === 0 ? [] : [line("pauses", `up to ${waits}`, pauses)]),
    ...(hedge.value === null ? [] : [line("hedged", `a second one after ${showDuration(hedge.value)}`, hedge)]),
    line("unknown", node.repeatsUnknown ? "may be sent again" : "never sent again"),
    line("breaker", breakerText(breaker.value), breaker),
    line("at once", `${bounds(concurrencyMin.value, concurrency.value)}, ${queue.value} more may wait`, concurrency),
  ]
}

function bounds(min: number, max: number): string {
  return min === max ? String(max) : `${min} to ${max}`
}

function breakerText(breaker: EffectivePolicies["breaker"]["value"]): string {
  if (!breaker) return "by hand only"
  const slow = breaker.slowMs === null ? "" : `, slow from ${showDuration(breaker.slowMs)}`
  const probes = breaker.probes === 1 ? "" : `, closes after ${breaker.probes} good probes`
  return `opens at ${breaker.failures} of ${breaker.of}, rests ${showDuration(breaker.restMs)}${slow}${probes}`
}

/** Failures that end alike stand in one row. */
function failuresOf(explanation: Explanation, look: Look): string[][] {
  const { predictions } = explanation
  const leaves = [...new Set(predictions.map(({ leaf }) => leaf))]
  return leaves.map((leaf, turn) => {
    const own = predictions.filter((one) => one.leaf === leaf)
    const before = turn === 0 ? "" : look.paint("dim", "   after those before it could not be reached")
    const title = `${look.paint("bold", `when ${shown(own[0]!.of)}`)}${before}`
    const groups = Map.groupBy(own, (one) =>
      JSON.stringify([one.attempts, withoutReason(one.ending), one.orEnding && withoutReason(one.orEnding)]),
    )
    return [title, ...[...groups.values()].flatMap((group) => groupLines(group, explanation, look))]
  })
}

function withoutReason({ reason: _, ...ending }: Ending): Omit<Ending, "reason"> {
  return ending
}

function groupLines(group: readonly Prediction[], explanation: Explanation, { paint, width }: Look): string[] {
  const { attempts, ending, orEnding, isService, of } = group[0]!
  const undone = of === "flow" && explanation.effect === "write" ? "what was done is undone, then " : ""
  const result = `${isService ? `${attemptsText(attempts)}, then ` : undone}${endingText(ending, explanation)}`
  const colour = ending.outcome === "ok" ? "green" : ending.outcome === "unknown" ? "red" : "yellow"
  const other = orEnding ? `or, when the pauses happen to be short: ${endingText(orEnding, explanation)}` : ""
  return [
    ...paragraph(namesText(group), 2, width),
    ...paragraph(result, 6, width).map((line) => paint(colour, line)),
    ...(other === "" ? [] : paragraph(other, 6, width)),
  ]
}

/** `says 401`, `says 422`: `says 401 or 422`. */
function namesText(group: readonly Prediction[]): string {
  const names = group.map(({ failure }) => failure)
  const statuses = names.flatMap((name) => /^says (\d{3})$/.exec(name)?.[1] ?? [])
  const others = names.filter((name) => !/^says \d{3}$/.test(name))
  return [...others, ...(statuses.length > 0 ? [`says ${listed(statuses)}`] : [])].map(shown).join("; ")
}

function listed(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`
}

function attemptsText({ least, most }: Attempts): string {
  if (most === 0) return "not asked"
  return `${least === most ? most : `${least} to ${most}`} ${most === 1 ? "attempt" : "attempts"}`
}

/** For its callers, and for a message or a time that runs it; where it has both, for both. */
function endingText(ending: Ending, { effect, entrances, runs }: Explanation): string {
  const { fate, code } = ending
  if (runs === null || fate === null) return forCaller(ending, effect)
  if (entrances.length === 0) return code === null ? forRun(ending, runs) : `${code}: ${fateText(fate, runs)}`
  return `${forCaller(ending, effect)}; ${fateText(fate, runs)}`
}

function forRun({ servedBy, isDegraded, isPending, fate }: Ending, runs: Runs): string {
  if (isPending) return "it is kept, and done later"
  return `${shown(servedBy ?? "")} answers${isDegraded ? ", degraded" : ""}: ${fateText(fate!, runs)}`
}

function forCaller({ servedBy, isDegraded, isPending, code, status, outcome }: Ending, effect: Explanation["effect"]): string {
  if (code === null && isPending) return `the caller gets ${status}: it is kept, and done later`
  if (code === null) return `${shown(servedBy ?? "")} answers: ${status}${isDegraded ? ", degraded" : ""}`
  return `the caller gets ${status} ${code}${effect === "write" || outcome === "answered" ? ` (${OUTCOMES[outcome as keyof typeof OUTCOMES]})` : ""}`
}

const OUTCOMES = {
  answered: "a real answer, nothing replaces it",
  refused: "nothing has happened",
  unknown: "it may have happened",
} as const

function worstOf({ worstCase, entrances, runs }: Explanation, { paint }: Look): string[] {
  const { ms, uncutMs, deadlineMs, tries, hasCode, goesOn } = worstCase
  const isCalled = runs === null || entrances.length > 0
  const title = paint("bold", "at worst")
  if (tries.length === 0) return []
  if (goesOn)
    return [
      `${title} ${showDuration(deadlineMs)}: ${isCalled ? "then the caller gets 202 PENDING, and it goes on" : "then it goes on by itself"}`,
    ]
  if (hasCode && uncutMs === 0) return [`${title} ${showDuration(deadlineMs)}: code takes as long as it takes, and the deadline ends it`]
  const steps = tries.filter(({ startedAtMs, endsAtMs }) => endsAtMs > startedAtMs)
  const lines = steps.map(({ of, startedAtMs, endsAtMs, isCut }) => {
    const cut = !isCut ? "" : startedAtMs >= deadlineMs ? "   its turn never comes" : "   the deadline ends it"
    return `  ${showDuration(startedAtMs).padStart(6)} to ${showDuration(endsAtMs).padStart(6)}  ${shown(of)}${paint("yellow", cut)}`
  })
  const code = hasCode ? ["  besides, code of the application takes as long as it takes, and the deadline ends it"] : []
  const sum =
    uncutMs > deadlineMs
      ? `${showDuration(ms)}: the deadline cuts what would take ${showDuration(uncutMs)}`
      : `${showDuration(ms)} of the deadline's ${showDuration(deadlineMs)}`
  return [
    `${title} ${sum}`,
    ...lines,
    ...code,
    ...(steps.length > 0
      ? [paint("dim", "  A Retry-After of the service, or a wait for a place, can stretch it up to the deadline.")]
      : []),
  ]
}

function sourceText({ by, at }: From): string {
  if (by === "built in") return "built in"
  return `${by === "defaults" ? "the application's defaults" : `the ${by}`}${at ? `, ${shown(shortPath(at))}` : ""}`
}
