// One declared command: how it becomes bytes, and what its answers mean.
import { type Answer, answered, failure, type Service, type Site, TrestleError } from "trestle/connector"
import type { MemcachedConnection } from "./connection.ts"
import type { Entry } from "./index.ts"
import type { Reply } from "./reply.ts"

export interface Command {
  readonly verb: "get" | "set" | "add"
  readonly entry: (input: any) => Entry
}

const KEY_BYTES_MAX = 250

export function bindCommand(service: Service, { verb, entry }: Command, site: Site): Answer {
  const connection = site.connection(service) as MemcachedConnection
  const { effect } = site
  return site.guard(
    service,
    {
      prepare: (input) => bytesOf(verb, entry(input)),
      async send(command, attempt) {
        const reply = await connection.exchange(command as Buffer, attempt)
        return site.accept(meaningOf(reply), attempt.call, service.name)
      },
    },
    // Setting the same again has no further effect; adding does: it would meet itself.
    { policy: undefined, mayRepeatUnknown: verb !== "add" },
  )

  function meaningOf(reply: Reply): unknown {
    if (reply.text !== null) return { text: reply.text }
    const note = `${service.name}: ${reply.line}`
    if (reply.line === "STORED") return undefined
    if (reply.line === "END") throw answered("NOT_FOUND", site.errors, undefined, { note })
    if (reply.line === "NOT_STORED") throw answered("CONFLICT", site.errors, undefined, { note })
    if (reply.line.startsWith("SERVER_ERROR")) throw failure("server-error", effect, { note })
    throw answered("INTERNAL", {}, undefined, { note: `${note}: it does not accept our request` })
  }
}

/** A key is written percent-encoded: it can hold neither a space nor a line's end, so no text can become a command. */
function bytesOf(verb: Command["verb"], { key, text, expiresInSeconds = 0 }: Entry): Buffer {
  const name = encodeURIComponent(key)
  if (name === "" || name.length > KEY_BYTES_MAX) {
    const issues = [{ path: "key", message: `must have 1 to ${KEY_BYTES_MAX} characters when encoded` }]
    throw new TrestleError("INVALID", undefined, { issues })
  }
  if (verb === "get") return Buffer.from(`get ${name}\r\n`)
  const value = Buffer.from(text)
  return Buffer.concat([Buffer.from(`${verb} ${name} 0 ${expiresInSeconds} ${value.length}\r\n`), value, Buffer.from("\r\n")])
}
