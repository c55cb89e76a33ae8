// R11: what is too large, too wide, too deep or too densely packed, at our entrance and in the answer of a service.
import { mkdtempSync, rmSync } from "node:fs"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { flood, GIB } from "../../security/kit/flood.ts"
import { post, raw, request } from "../../security/kit/raw.ts"
import { type ServerProcess, serverProcess } from "../../security/kit/server-process.ts"
import { head, sends } from "../kit/behaviours.ts"
import { calledProcess } from "../kit/called-process.ts"
import { ProcessMemory } from "../kit/process-memory.ts"
import { type Behaviour, Receiver } from "../kit/receiver.ts"
import { WELL } from "../kit/rest-faults.ts"

export interface SizeFigures {
  readonly where: "entrance" | "answer of a service"
  readonly what: string
  /** HTTP status, or code and reason. */
  readonly end: string
  readonly ms: number
  readonly grownMib: number
  readonly nextIsWell: boolean
}

const deep = `{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}`
const millionKeys = (): string => `{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":1`).join(",")}}`
/** Each 64 MiB of nothing in 64 KiB: members of a gzip file may follow each other. Source: RFC 1952, section 2.2. */
const bomb = (members: number): Buffer => Buffer.concat(Array(members).fill(gzipSync(Buffer.alloc(64 * 1_048_576))))
const JSON_TYPE = { "content-type": "application/json" } as const

interface Attack {
  readonly what: string
  readonly bytes: () => string | Buffer
  readonly then?: (socket: Socket) => void
}

/** As a client sends them, with a valid key. */
function requests(key: string): Attack[] {
  const own = { "x-api-key": key, ...JSON_TYPE }
  return [
    {
      what: "1 GiB, said beforehand",
      bytes: () => request("POST /things", { ...own, "content-length": GIB }),
      then: (socket) => flood(GIB, false)(socket),
    },
    {
      what: "1 GiB in chunks",
      bytes: () => request("POST /things", { ...own, "transfer-encoding": "chunked" }),
      then: (socket) => flood(GIB, true)(socket),
    },
    { what: "a gzip bomb of 1 GiB", bytes: () => packed(bomb(16), own) },
    { what: "a gzip bomb of 128 MiB, itself no larger than allowed", bytes: () => packed(bomb(2), own) },
    { what: "a million keys", bytes: () => post("/things", millionKeys(), { "x-api-key": key }) },
    { what: "100,000 levels", bytes: () => post("/things", deep, { "x-api-key": key }) },
  ]
}

function packed(body: Buffer, headers: Readonly<Record<string, string>>): Buffer {
  const start = request("POST /things", { ...headers, "content-encoding": "gzip", "content-length": body.length })
  return Buffer.concat([Buffer.from(start), body])
}

/** As a service answers. */
function answers(): { what: string; behaviour: Behaviour }[] {
  const whole = (body: string | Buffer, fields: Record<string, string> = {}): Behaviour =>
    sends(head(200, { ...JSON_TYPE, "content-length": Buffer.byteLength(body), ...fields }), body)
  const flooding = (fields: Record<string, string | number>, chunked: boolean): Behaviour => {
    const start = head(200, { ...JSON_TYPE, ...fields })
    return (socket) => {
      socket.write(start)
      flood(GIB, chunked)(socket)
    }
  }
  return [
    { what: "1 GiB, said beforehand", behaviour: flooding({ "content-length": GIB }, false) },
    { what: "1 GiB in chunks", behaviour: flooding({ "transfer-encoding": "chunked" }, true) },
    { what: "a gzip bomb of 1 GiB", behaviour: whole(bomb(16), { "content-encoding": "gzip" }) },
    { what: "a million keys", behaviour: whole(millionKeys()) },
    { what: "100,000 levels", behaviour: whole(deep) },
  ]
}

/** Everything `rounds` times, at an application with the limits that are built in. */
export async function sizes(rounds: number): Promise<SizeFigures[]> {
  return [...(await atEntrance(rounds)), ...(await fromService(rounds))]
}

async function atEntrance(rounds: number): Promise<SizeFigures[]> {
  await using server = await serverProcess()
  const memory = new ProcessMemory(server.pid)
  for (let i = 0; i < 50; i++) await isWell(server)
  const figures: SizeFigures[] = []
  for (let round = 0; round < rounds; round++)
    for (const { what, bytes, then } of requests(server.key)) {
      const whole = bytes()
      memory.mark()
      const { ms, answer } = await answered(server, whole, then)
      figures.push({ where: "entrance", what, end: answer, ms, grownMib: memory.grownMib, nextIsWell: await isWell(server) })
    }
  return figures
}

/** Until the answer is there; the connection is kept a little longer by the server, so that it is not lost. */
async function answered(
  server: ServerProcess,
  bytes: string | Buffer,
  then?: (socket: Socket) => void,
): Promise<{ ms: number; answer: string }> {
  const startedAt = performance.now()
  let ms = Number.POSITIVE_INFINITY
  const exchange = await raw(server.port, bytes, {
    answers: 1,
    withinMs: 10_000,
    then: (socket) => {
      socket.once("data", () => {
        ms = performance.now() - startedAt
      })
      then?.(socket)
    },
  })
  return { ms, answer: exchange.answers.map(({ status }) => status).join() }
}

async function isWell(server: ServerProcess): Promise<boolean> {
  const { answers } = await raw(server.port, post("/things", '{"name":"a"}', { "x-api-key": server.key }), { answers: 1 })
  return answers[0]?.status === 201
}

async function fromService(rounds: number): Promise<SizeFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), "trestle-sizes-"))
  await using receiver = await Receiver.open(WELL)
  await using app = await calledProcess({ plain: receiver.url, tls: receiver.url, file: join(folder, "none.db"), postgres: null })
  try {
    for (let i = 0; i < 50; i++) await app.call("usual.read", 1)
    const figures: SizeFigures[] = []
    for (let round = 0; round < rounds; round++)
      for (const { what, behaviour } of answers()) {
        receiver.behaviour = behaviour
        app.memory.mark()
        const { ends, slowestMs } = await app.call("usual.read", 1)
        receiver.behaviour = WELL
        const { grownMib } = app.memory
        const nextIsWell = (await app.call("usual.read", 1)).ends.join() === "ok"
        figures.push({ where: "answer of a service", what, end: ends.join(), ms: slowestMs, grownMib, nextIsWell })
      }
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
