// The places where a call can hang, each made for real; and how the other side sees that it was given up.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as pause } from "node:timers/promises"
import { z } from "zod"
import {
  type Authenticator,
  anyone,
  authenticator,
  code,
  fallback,
  op,
  type Policy,
  rest,
  signedIn,
  sql,
  sqlite,
} from "../../../src/index.ts"
import { drips, first, head, replies, sends, silence } from "../kit/behaviours.ts"
import { type Behaviour, Receiver } from "../kit/receiver.ts"
import { unacceptingPort } from "../kit/unaccepting.ts"

export const DEADLINE_MS = 400

const Id = z.object({ id: z.string() })
/** Patience far beyond the deadline: nothing but the deadline ends the call. */
const PATIENT: Policy = { timeout: "30s", retry: { times: 2, backoff: "1ms" }, breaker: false }
const contract = {
  http: "GET /things/{id}",
  input: Id,
  output: Id,
  allow: anyone("a test"),
  anyObject: "a test",
  deadline: DEADLINE_MS,
} as const

/** One place, ready to hang: an application whose operation `it` will. */
export interface Hanging extends AsyncDisposable {
  readonly ops: { readonly it: any }
  readonly authenticate?: readonly Authenticator[]
  /** Default `GET`. */
  readonly method?: "POST"
  /** Resolves when whatever was asked has seen that nobody waits any more; rejects when it does not come to that. */
  seenCancelled(): Promise<void>
  /** Called when the application runs, before the call. */
  readonly begin?: (ask: any) => Promise<void>
}

export interface HangPoint {
  readonly name: string
  open(): Promise<Hanging>
}

/** The service hangs in that way; it sees its connection closed. */
function atService(behaviour: Behaviour, policy: Policy = PATIENT): HangPoint["open"] {
  return async () => {
    const receiver = await Receiver.open(behaviour)
    const service = rest({ url: receiver.url, policy })
    return watched(receiver, { it: op(contract).via(service.call("GET /things/{id}")) })
  }
}

function watched(receiver: Receiver, ops: Hanging["ops"]): Hanging {
  return {
    ops,
    seenCancelled: async () => {
      if (receiver.connected === 0) throw new Error("nothing came to the service")
      await receiver.until(() => receiver.open === 0, "the connection of the call is still open")
    },
    [Symbol.asyncDispose]: () => receiver.close(),
  }
}

async function beforeConnecting(): Promise<Hanging> {
  const unaccepting = await unacceptingPort()
  const service = rest({ url: `http://127.0.0.1:${unaccepting.port}`, policy: PATIENT })
  return {
    ops: { it: op(contract).via(service.call("GET /things/{id}")) },
    seenCancelled: () => until(() => unaccepting.connecting() === 0, "the connection is still being made"),
    [Symbol.asyncDispose]: () => unaccepting[Symbol.asyncDispose](),
  }
}

async function inHandshake(): Promise<Hanging> {
  const receiver = await Receiver.open(silence)
  const service = rest({ url: `https://127.0.0.1:${receiver.port}`, policy: PATIENT })
  return watched(receiver, { it: op(contract).via(service.call("GET /things/{id}")) })
}

/** Somebody else has the only place, and keeps it beyond the test. */
async function inQueue(): Promise<Hanging> {
  const receiver = await Receiver.open(silence)
  const service = rest({ url: receiver.url, policy: { ...PATIENT, concurrency: 1 } })
  const { deadline: _, http: __, ...patient } = contract
  const ops = {
    it: op(contract).via(service.call("GET /things/{id}")),
    holder: op({ ...patient, effect: "read" }).via(service.call("GET /things/{id}")),
  }
  const holding = new AbortController()
  return {
    ops,
    begin: async (ask) => {
      ask.holder.safe({ id: "1" }, { signal: holding.signal })
      await receiver.until(() => receiver.arrivals.length === 1, "the first call did not arrive")
    },
    seenCancelled: async () => {
      holding.abort()
      await receiver.until(() => receiver.open === 0, "a connection is still open")
      if (receiver.arrivals.length !== 1) throw new Error("the call that was given up in the queue went out")
    },
    [Symbol.asyncDispose]: () => receiver.close(),
  }
}

async function inNestedCall(): Promise<Hanging> {
  const receiver = await Receiver.open(silence)
  const { deadline: _, http: __, ...inner } = contract
  const asked = op({ ...inner, effect: "read" }).via(rest({ url: receiver.url, policy: PATIENT }).call("GET /things/{id}"))
  return watched(receiver, { asked, it: op(contract).via(code((i, ctx) => ctx.run(asked, i))) } as Hanging["ops"])
}

/** The first gives up in time, the second does not. */
async function inFallback(): Promise<Hanging> {
  const receiver = await Receiver.open(silence)
  const one = rest({ url: receiver.url, name: "one", policy: { ...PATIENT, timeout: DEADLINE_MS / 4, retry: 0 } })
  const two = rest({ url: receiver.url, name: "two", policy: PATIENT })
  return watched(receiver, { it: op(contract).via(fallback(one.call("GET /things/{id}"), two.call("GET /other/{id}"))) })
}

async function inCode(): Promise<Hanging> {
  let signal: AbortSignal | null = null
  const it = op(contract).via(
    code((_, ctx) => {
      signal = ctx.signal
      return new Promise<never>(() => undefined)
    }),
  )
  return {
    ops: { it },
    seenCancelled: () => until(() => signal?.aborted === true, "the code was not told"),
    [Symbol.asyncDispose]: async () => {},
  }
}

const never = (): Promise<never> => new Promise(() => undefined)
const ada = authenticator("ada", async () => ({ id: "ada", kind: "user" }))
const nobody = authenticator("nobody", never)

/** What lets callers in does not answer: the operation must not run. */
function atTheDoor(allow: typeof signedIn extends () => infer A ? A : never, door: Authenticator): HangPoint["open"] {
  return async () => {
    let hasRun = false
    const it = op({ ...contract, allow }).via(
      code((i) => {
        hasRun = true
        return i
      }),
    )
    return {
      ops: { it },
      authenticate: [door],
      seenCancelled: async () => {
        if (hasRun) throw new Error("the operation ran without leave")
      },
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

/** Another process holds the file, and does not let go of it. */
async function atBusyFile(): Promise<Hanging> {
  const folder = mkdtempSync(join(tmpdir(), "trestle-deadline-"))
  const file = join(folder, "things.db")
  const other = new DatabaseSync(file)
  other.exec("pragma journal_mode = wal; create table things (id text) strict")
  const db = sqlite({ file, policy: PATIENT, busyTimeout: "60s" })
  return {
    method: "POST",
    ops: {
      it: op({ ...contract, http: "POST /things/{id}" }).via(db.one(({ id }) => sql`insert into things values (${id}) returning id`)),
    },
    begin: async () => other.exec("begin immediate"),
    seenCancelled: async () => {
      other.exec("rollback")
      // Longer than any pause between two tries of the connector.
      await pause(60)
      if (other.prepare("select count(*) as n from things").get()!.n !== 0) throw new Error("the statement was run after its call")
    },
    async [Symbol.asyncDispose]() {
      other.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const JSON_HEAD = head(200, { "content-type": "application/json", "content-length": 1_000 })

export const HANG_POINTS: readonly HangPoint[] = [
  { name: "before the connection is made", open: beforeConnecting },
  { name: "in the TLS handshake", open: inHandshake },
  { name: "before the head of the answer", open: atService(silence) },
  { name: "within the head, a byte at a time", open: atService(drips("HTTP/1.1 200 OK\r\nx: ", "x")) },
  { name: "after the head of the answer", open: atService(sends(JSON_HEAD)) },
  { name: "within its body, a byte at a time", open: atService(drips(JSON_HEAD, " ")) },
  { name: "in the queue of the bulkhead", open: inQueue },
  { name: "in the second attempt, after a pause", open: atService(first(1, replies(429), silence)) },
  { name: "in a pause that Retry-After asks for", open: atService(replies(429, {}, { "retry-after": 3_600, connection: "close" })) },
  { name: "in a nested call", open: inNestedCall },
  { name: "in a fallback", open: inFallback },
  { name: "in code()", open: inCode },
  { name: "in an authenticator", open: atTheDoor(signedIn(), nobody) },
  { name: "in a rule of access", open: atTheDoor(never as never, ada) },
  { name: "at a SQLite file that another process holds", open: atBusyFile },
]

/** Looks until it holds; rejects after five seconds. */
async function until(holds: () => boolean, complaint: string): Promise<void> {
  const end = performance.now() + 5_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(complaint)
    await pause(5)
  }
}
