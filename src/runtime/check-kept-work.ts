import { parseDuration, whyNoDuration } from "../base/duration.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { scheduleOf } from "../contract/schedule.ts"
import { nothing, typesOf } from "../contract/schema.ts"
import { compileShape } from "../contract/shape.ts"
import { type DeclaredTopic, topicOf } from "../contract/topic.ts"
import { type FindingCode, finding } from "./findings.ts"
import { within } from "./within.ts"

/** What is wrong with an operation as one that takes messages, or runs at certain times. */
export function checkKeptWork(operation: Operation, findings: Finding[]): void {
  const { path, declaration, effect, repeat } = operation
  const { contract, at } = declaration
  const refuse: Refuse = (code, message, fix) => void findings.push(finding(code, at, `${path}${message}`, fix))
  checkDelivery(operation, refuse)
  if (contract.on === undefined && contract.every === undefined) return
  if (effect === "write" && repeat === "none") {
    const what = contract.on === undefined ? "runs by a schedule" : `takes messages of ${topicOf(contract.on).topic}`
    const fix = 'repeat: "natural",   if running it again has no further effect; else   repeat: "key",   and Trestle sees to it.'
    refuse("TRS1046", ` is a write that ${what}, and does not say that it may be repeated`, fix)
  }
  if (operation.input.file || operation.output.file || operation.output.items)
    refuse(
      "TRS1048",
      " takes or gives a file or a stream, and there is nobody at the other end",
      "Give that to another operation, and run it from this one.",
    )
  if (contract.every !== undefined) checkSchedule(operation, refuse)
  const topic = contract.on && topicOf(contract.on)
  const isUnordered = declaration.backend !== null && within(declaration.backend).some(({ plan }) => plan.isUnordered)
  if (topic && topic.key !== null && isUnordered)
    refuse(
      "TRS1070",
      ` takes the messages of ${topic.topic} in the order of their keys, and its defer() has no \`key\`: what waits is overtaken by what comes after it`,
      "defer(..., { key: ({ id }) => id }),   as the topic says it.",
    )
}

type Refuse = (code: FindingCode, message: string, fix: string) => void

function checkSchedule({ declaration, input }: Operation, refuse: Refuse): void {
  const { contract } = declaration
  const schedule = scheduleOf(contract.every!)
  if ("why" in schedule)
    refuse("TRS1048", `: every: ${schedule.why}`, 'every: "15m",   or   every: { cron: "0 3 * * 1-5", zone: "Europe/Berlin" },')
  const isOptional = typesOf(input.json).includes("object") && !input.json.required?.length
  if (contract.input !== nothing && !isOptional)
    refuse(
      "TRS1048",
      " runs by a schedule, and its input has fields that nobody would fill",
      "input: nothing,   or an object whose fields are optional.",
    )
}

function checkDelivery({ declaration: { contract } }: Operation, refuse: Refuse): void {
  const { delivery, on, every } = contract
  if (delivery === undefined) return
  const fix = 'delivery: { times: 10, backoff: "1s" },'
  if (on === undefined && every === undefined)
    refuse("TRS1048", ": delivery is for messages and schedules, and it takes neither", "Remove `delivery`, or say `on` or `every`.")
  const { times, backoff } = delivery
  if (times !== undefined && !(Number.isInteger(times) && times >= 1))
    refuse("TRS1012", `: delivery: times is ${times}, and not a whole number of at least 1`, fix)
  if (backoff !== undefined && parseDuration(backoff) === null)
    refuse("TRS1012", `: delivery: backoff ${whyNoDuration(backoff, "1s")}`, fix)
}

/** Consumers of one topic mean the same one: the same version, and the same payload. */
export function checkTopics(operations: readonly Operation[], findings: Finding[]): void {
  const seen = new Map<string, DeclaredTopic>()
  for (const { path, declaration } of operations) {
    const { on } = declaration.contract
    if (on === undefined) continue
    const topic = topicOf(on)
    const { version, at } = topic
    if (!(Number.isInteger(version) && version >= 1))
      findings.push(
        finding("TRS1012", at, `topic ${topic.topic}: version is ${version}, and not a whole number of at least 1`, "{ version: 2 }"),
      )
    const earlier = seen.get(topic.topic)
    if (earlier === undefined) seen.set(topic.topic, topic)
    else if (earlier !== topic && formOf(earlier) !== formOf(topic))
      findings.push(
        finding(
          "TRS1047",
          declaration.at,
          `${path} takes messages of another ${topic.topic} than an operation before it: their versions or payloads differ`,
          "Declare the topic once, and import it where it is used; a new shape is a new version of it, or has a name of its own.",
        ),
      )
  }
}

function formOf({ version, payload }: DeclaredTopic): string {
  const shape = compileShape(payload, "input")
  return "why" in shape ? `${version} ${shape.why}` : `${version} ${JSON.stringify(shape.json)}`
}
