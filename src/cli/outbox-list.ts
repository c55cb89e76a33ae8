import { openOutboxOf, outboxNames } from "../assembly/outboxes-of.ts"
import { loadEnvironment } from "../config/environment.ts"
import { OutboxDesk, type WaitingMessage } from "../durable/outbox-desk.ts"
import { EXIT } from "./exit.ts"
import { didYouMean, usage } from "./findings.ts"
import { countOf, storeFailure } from "./jobs-desk.ts"
import { loadApp } from "./load-app.ts"
import type { OutboxFlags } from "./outbox.ts"
import { paintFor, shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { table } from "./table.ts"

const WAITS = "waiting"
const UNREADABLE = "unreadable"

/** A message, with whose outbox it waits in. */
interface Found extends WaitingMessage {
  readonly service: string
}

/** `trestle outbox list` */
export async function listOutbox(flags: OutboxFlags): Promise<Report> {
  const limit = countOf(flags.limit)
  const messages: Found[] = []
  const services = await each(flags, async (desk, service) => {
    for (const message of await desk.list(limit)) messages.push({ ...message, service })
  })
  return {
    exit: EXIT.ok,
    summary: { services, messages: messages.length },
    json: { messages: messages.map(publicMessage) },
    text: messages.length === 0 ? "" : listText(messages),
    notes: noteOf(services, messages),
  }
}

/** `trestle outbox show` */
export async function showOutbox(id: string, flags: OutboxFlags): Promise<Report> {
  const [message] = await found([id], flags)
  const { service, topic, at, isReadable } = message!
  const rows = [
    ["id", shown(id)],
    ["service", service],
    ["topic", shown(topic)],
    ["since", new Date(at).toISOString()],
    ["state", isReadable ? WAITS : `${UNREADABLE}; nobody gets it, unless it can be read after the next start`],
  ]
  return { exit: EXIT.ok, summary: { service }, json: { message: publicMessage(message!) }, text: table(rows) }
}

/** `trestle outbox drop` */
export async function dropOutbox(ids: readonly string[], flags: OutboxFlags): Promise<Report> {
  const meant = await found(ids, flags)
  const named = meant.map(({ id }) => shown(id)).join(", ")
  if (flags.dryRun) return { exit: EXIT.ok, summary: { drop: 0, would: meant.length }, notes: `would remove ${named}\n` }
  if (!flags.yes) throw usage(`removing cannot be undone, and nobody would ever get ${named}`, "trestle outbox drop ... --yes")
  const dropped: string[] = []
  await each(flags, async (desk, service) => {
    for (const message of meant) if (message.service === service && (await desk.drop(message.id))) dropped.push(message.id)
  })
  const missed = meant.length - dropped.length
  const left = missed === 0 ? "" : `${missed} had gone on its way meanwhile\n`
  const exit = missed === 0 ? EXIT.ok : EXIT.found
  return { exit, summary: { drop: dropped.length, missed }, json: { dropped }, notes: `${dropped.length} removed\n${left}` }
}

/** @throws {Stop} wrong usage, for one that is not there. */
async function found(ids: readonly string[], flags: OutboxFlags): Promise<readonly Found[]> {
  const messages = new Map<string, Found>()
  await each(flags, async (desk, service) => {
    for (const id of ids) {
      const message = await desk.find(id)
      if (message) messages.set(id, { ...message, service })
    }
  })
  return ids.map((id) => {
    const message = messages.get(id)
    if (!message) throw usage(`no message "${id}" waits`, "See: trestle outbox list")
    return message
  })
}

/** Does it with every outbox that is meant, one after the other; gives the services that keep one. */
async function each(flags: OutboxFlags, work: (desk: OutboxDesk, service: string) => Promise<void>): Promise<readonly string[]> {
  const { app } = await loadApp(flags.app)
  const names = outboxNames(app)
  const { service } = flags
  if (service !== undefined && !names.includes(service))
    throw usage(`no service "${service}" keeps an outbox`, didYouMean(service, names, `There are: ${names.join(", ") || "none"}`))
  const environment = loadEnvironment({ folder: process.cwd() })
  try {
    for (const name of service === undefined ? names : [service]) {
      const outbox = await openOutboxOf(app, name, environment)
      if (!outbox) continue
      try {
        await work(new OutboxDesk(outbox.store), name)
      } finally {
        await outbox.close()
      }
    }
  } catch (error) {
    throw storeFailure(error)
  }
  return names
}

function listText(messages: readonly Found[]): string {
  const paint = paintFor(process.stdout)
  const heads = ["ID", "SERVICE", "TOPIC", "SINCE", "STATE"].map((title) => paint("dim", title))
  const rowOf = ({ id, service, topic, at, isReadable }: Found): string[] => {
    return [shown(id), service, shown(topic), new Date(at).toISOString(), isReadable ? WAITS : UNREADABLE]
  }
  return table([heads, ...messages.map(rowOf)])
}

function noteOf(services: readonly string[], messages: readonly Found[]): string {
  if (services.length === 0) return "no service keeps an outbox\n"
  return messages.length === 0 ? "nothing waits\n" : ""
}

function publicMessage({ id, service, topic, at, isReadable }: Found): object {
  return { id, service, topic, since: new Date(at).toISOString(), isReadable }
}
