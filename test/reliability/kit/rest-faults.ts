import { readFileSync } from "node:fs"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { gzipSync } from "node:zlib"
import { type Policy, type Rest, type RestOptions, rest } from "../../../src/index.ts"
import { breaksOff, hangsUp, head, replies, resets, sends, silence } from "./behaviours.ts"
import type { Calls, FaultRow, FaultyServer, Kind } from "./fault.ts"
import { type Behaviour, Receiver } from "./receiver.ts"

export const METHODS: Readonly<Record<Kind, string>> = { read: "GET", write: "POST", natural: "PUT", keyed: "PATCH" }
export const WELL = replies(200, { id: "7", name: "Ada" })
export const KEY = { key: "Idempotency-Key" } as const

/** The calls of one service, with what it promises about each. */
export function restCalls(service: Rest): Calls {
  const errors = { 410: "GONE" } as const
  return {
    read: service.call("GET /things/{id}", { errors }),
    write: service.call("POST /things", { errors }),
    natural: service.call("PUT /things/{id}", { errors }),
    keyed: service.call("PATCH /things/{id}", { errors, repeat: KEY }),
  }
}

/** A service whose answer to every request is that behaviour. */
function behaving(behaviour: Behaviour, options: Partial<RestOptions> = {}): FaultRow["open"] {
  return async () => {
    const receiver = await Receiver.open(behaviour)
    return faulty(receiver, receiver.url, options)
  }
}

function faulty(receiver: Receiver, url: string, options: Partial<RestOptions> = {}): FaultyServer {
  const declareService = (policy: Policy) => {
    const service = rest({ url, name: "faulty", policy, ...options })
    return { service, calls: restCalls(service) }
  }
  return {
    declare: (policy) => declareService(policy).calls,
    declareService,
    arrived: (kind) => receiver.arrivals.filter(({ method }) => method === METHODS[kind]).length,
    mend: () => {
      receiver.behaviour = WELL
    },
    [Symbol.asyncDispose]: () => receiver.close(),
  }
}

async function nobodyListens(): Promise<FaultyServer> {
  const receiver = await Receiver.open(WELL)
  const { url } = receiver
  await receiver.close()
  return { ...faulty(receiver, url), [Symbol.asyncDispose]: async () => {} }
}

const certificate = (file: string): string => readFileSync(new URL(`../../cli/certificates/${file}`, import.meta.url), "utf8")

/** Signed by an authority that is trusted: its end is all that is wrong with it. */
async function certificateHasEnded(): Promise<FaultyServer> {
  setDefaultCACertificates([...getCACertificates("default"), certificate("authority.pem")])
  const receiver = await Receiver.open(WELL, { cert: certificate("ended.pem"), key: certificate("ended.key") })
  return faulty(receiver, `https://localhost:${receiver.port}`)
}

/** Takes the connection, and never answers the client's greeting. */
async function handshakeHangs(): Promise<FaultyServer> {
  const receiver = await Receiver.open(silence)
  return faulty(receiver, `https://127.0.0.1:${receiver.port}`)
}

async function nameIsUnknown(): Promise<FaultyServer> {
  const receiver = await Receiver.open(WELL)
  return faulty(receiver, "http://no-such-host.invalid")
}

const UNSENT = {
  rule: "refused: failure before the first request byte left",
  outcome: "refused",
  code: "UNAVAILABLE",
  arrives: false,
  feedsBreaker: true,
} as const
const SAID_NO = { outcome: "refused", code: "UNAVAILABLE", feedsBreaker: false } as const
const CUT = {
  rule: "unknown: anything later without a whole reply",
  outcome: "unknown",
  code: "UNAVAILABLE",
  feedsBreaker: true,
} as const
const BAD = {
  rule: "unknown: output of a write that does not fit the contract",
  outcome: "unknown",
  code: "INTERNAL",
  isTransient: false,
  feedsBreaker: false,
} as const
const ANSWER = { rule: "answered: every other reply, 4xx included", outcome: "answered", feedsBreaker: false } as const
const LENGTH_5 = head(200, { "content-type": "application/json", "content-length": 5 })

export const REST_FAULTS: readonly FaultRow[] = [
  { ...UNSENT, fault: "nobody listens", open: nobodyListens },
  { ...UNSENT, fault: "a name that nobody knows", open: nameIsUnknown },
  { ...UNSENT, fault: "a certificate that has ended", open: certificateHasEnded },
  { ...UNSENT, fault: "a TLS handshake without an answer", code: "TIMEOUT", open: handshakeHangs },

  { ...SAID_NO, rule: "refused: 425", fault: "425", open: behaving(replies(425)) },
  { ...SAID_NO, rule: "refused: 429", fault: "429", open: behaving(replies(429)) },
  {
    ...SAID_NO,
    rule: "refused: 503 only where the service is declared to mean it",
    fault: "503, declared",
    feedsBreaker: true,
    open: behaving(replies(503), { refuses: [503] }),
  },

  { ...CUT, fault: "a reset", open: behaving(resets) },
  { ...CUT, fault: "the end of the connection", open: behaving(hangsUp) },
  { ...CUT, fault: "half a head", open: behaving(breaksOff("HTTP/1.1 200 OK\r\ncontent-le")) },
  { ...CUT, fault: "half a body", open: behaving(breaksOff(LENGTH_5, "{}")) },
  {
    ...CUT,
    fault: "a body in chunks without its end",
    open: behaving(breaksOff(head(200, { "transfer-encoding": "chunked" }), "2\r\n{}\r\n")),
  },
  { ...CUT, fault: "bytes that are no HTTP", open: behaving(sends("220 mail.test ESMTP\r\n\r\n")) },
  { ...CUT, fault: "no answer", code: "TIMEOUT", open: behaving(silence) },
  { ...CUT, fault: "a head, and no body", code: "TIMEOUT", open: behaving(sends(LENGTH_5)) },

  { ...CUT, rule: "unknown: 408", fault: "408", open: behaving(replies(408)) },
  ...[500, 501, 502, 503, 504, 599].map((status) => ({
    ...CUT,
    rule: "unknown: other 5xx",
    fault: `${status}`,
    open: behaving(replies(status)),
  })),

  { ...BAD, fault: "an object without what is declared", open: behaving(replies(200, {})) },
  { ...BAD, fault: "a page for people", open: behaving(replies(200, "<html></html>", { "content-type": "text/html" })) },
  { ...BAD, fault: "JSON that ends too early", open: behaving(replies(200, '{"id":"7",')) },
  { ...BAD, fault: "a compressed answer, which nobody asked for", open: behaving(compressed) },
  {
    ...BAD,
    fault: "an answer beyond answerLimit",
    open: behaving(replies(200, { id: "7", name: "x".repeat(2_000) }), { answerLimit: "1kb" }),
  },
  { ...BAD, fault: "302", open: behaving(replies(302, {}, { location: "/things/7" })) },

  ...[400, 401, 403, 405, 422, 451].map((status) => ({ ...ANSWER, fault: `${status}`, code: "INTERNAL", open: behaving(replies(status)) })),
  { ...ANSWER, fault: "404", code: "NOT_FOUND", open: behaving(replies(404)) },
  { ...ANSWER, fault: "409", code: "CONFLICT", open: behaving(replies(409)) },
  { ...ANSWER, fault: "410, declared", code: "GONE", open: behaving(replies(410)) },
]

function compressed(...[socket]: Parameters<Behaviour>): void {
  const body = gzipSync('{"id":"7","name":"Ada"}')
  socket.write(head(200, { "content-encoding": "gzip", "content-length": body.length }))
  socket.write(body)
}
