// R3: what can go wrong between a connector and its service, each made for real; and what it costs the application.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import type { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Server as TlsServer } from "node:tls"
import type { ProxyMode } from "../../../src/testing/fault-proxy.ts"
import { breaksOff, drips, hangsUp, head, pours, replies, resets, sends, silence } from "../kit/behaviours.ts"
import { type CalledProcess, calledProcess } from "../kit/called-process.ts"
import { type PostgresBehindProxy, postgresBehindProxy } from "../kit/postgres-behind-proxy.ts"
import { type Behaviour, Receiver } from "../kit/receiver.ts"
import { WELL } from "../kit/rest-faults.ts"

export interface FaultFigures {
  readonly connector: string
  readonly fault: string
  /** How calls ended under it: "ok", or code and reason. */
  readonly ends: readonly string[]
  readonly slowestMs: number
  readonly grownMib: number
  /** Sockets of the application when all is well again. */
  readonly sockets: number
  readonly nextIsWell: boolean
}

interface World {
  readonly app: CalledProcess
  readonly plain: Receiver
  readonly tls: Receiver
  readonly file: string
  readonly postgres: PostgresBehindProxy | null
}

interface Fault {
  readonly connector: "rest" | "sqlite" | "postgres"
  readonly name: string
  /** Groups of operations that meet it, and that are well afterwards. */
  readonly group: "plain" | "tls" | "nowhere" | "db" | "postgres"
  begin(world: World): void | Promise<void>
  mend(world: World): void | Promise<void>
}

const certificate = (name: string): string => readFileSync(new URL(`../../cli/certificates/${name}`, import.meta.url), "utf8")
const withCertificate = (name: string) => ({ cert: certificate(`${name}.pem`), key: certificate(`${name}.key`) })

function behaving(name: string, behaviour: Behaviour): Fault {
  return {
    connector: "rest",
    name,
    group: "plain",
    begin: ({ plain }) => {
      plain.behaviour = behaviour
    },
    mend: ({ plain }) => {
      plain.behaviour = WELL
    },
  }
}

/** Connections that were made before are dead, and nobody has said so; new ones are well. */
function halfOpen(): Fault {
  const old = new WeakSet<Socket>()
  const remembering: Behaviour = (socket, arrival) => {
    old.add(socket)
    WELL(socket, arrival)
  }
  return {
    ...behaving("half-open connections", WELL),
    async begin({ app, plain }) {
      plain.behaviour = remembering
      await app.call("plain.read", 8)
      plain.behaviour = (socket, arrival) => (old.has(socket) ? undefined : WELL(socket, arrival))
    },
  }
}

const JSON_TYPE = { "content-type": "application/json" } as const
const LONG = head(200, { ...JSON_TYPE, "transfer-encoding": "chunked" })
const BLOCK = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n`)

function limitFiles(pid: number, bytes: string): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}`])
}

let other: DatabaseSync | null = null
const letGo = (): void => {
  other?.close()
  other = null
}

export const FAULTS: readonly Fault[] = [
  { ...behaving("refused", WELL), begin: ({ plain }) => plain.close(), mend: ({ plain }) => plain.up() },
  behaving("reset", resets),
  behaving("hung up", hangsUp),
  behaving("silent", silence),
  behaving("slow headers", drips("HTTP/1.1 200 OK\r\nx: ", "x")),
  behaving("slow body", drips(head(200, { ...JSON_TYPE, "content-length": 1_000 }), " ")),
  halfOpen(),
  behaving("500", replies(500)),
  behaving("503 with Retry-After: 1", replies(503, {}, { "retry-after": 1 })),
  behaving("429 with Retry-After: 3600", replies(429, {}, { "retry-after": 3_600 })),
  behaving("wrong type", replies(200, "<html></html>", { "content-type": "text/html" })),
  behaving("truncated JSON", replies(200, '{"id":"7",')),
  behaving("oversized JSON, without end", pours(`${LONG}1\r\n"\r\n`, BLOCK)),
  behaving("bad gzip", replies(200, "this is no gzip", { "content-encoding": "gzip" })),
  behaving("shorter than its length", breaksOff(head(200, { ...JSON_TYPE, "content-length": 50 }), '{"id":"7"')),
  behaving("longer than its length", sends(head(200, { ...JSON_TYPE, "content-length": 23 }), '{"id":"7","name":"Ada"}{"id":"8"}')),
  behaving("redirect loop", replies(302, {}, { location: "/things/7" })),
  behaving("no HTTP", sends("220 mail.test ESMTP\r\n")),
  {
    connector: "rest",
    name: "TLS expired",
    group: "tls",
    begin: ({ tls }) => (tls.server as TlsServer).setSecureContext(withCertificate("ended")),
    mend: ({ tls }) => (tls.server as TlsServer).setSecureContext(withCertificate("valid")),
  },
  { connector: "rest", name: "DNS failure", group: "nowhere", begin: () => {}, mend: () => {} },
  {
    connector: "sqlite",
    name: "busy: another process writes",
    group: "db",
    begin: ({ file }) => {
      other = new DatabaseSync(file)
      other.exec("begin immediate")
    },
    mend: letGo,
  },
  {
    connector: "sqlite",
    name: "disk full at COMMIT",
    group: "db",
    begin: ({ app }) => limitFiles(app.pid, "65536:"),
    mend: ({ app }) => limitFiles(app.pid, "unlimited:"),
  },
  {
    connector: "sqlite",
    name: "the file is gone (lost connection)",
    group: "db",
    begin: ({ file }) => {
      for (const ending of ["", "-wal", "-shm"]) rmSync(file + ending, { force: true })
    },
    mend: ({ file }) => makeTables(file),
  },
]

function inPostgres(
  name: string,
  begin: (postgres: PostgresBehindProxy) => unknown,
  mend: (postgres: PostgresBehindProxy) => unknown,
): Fault {
  return {
    connector: "postgres",
    name,
    group: "postgres",
    begin: async ({ postgres }) => void (await begin(postgres!)),
    mend: async ({ postgres }) => void (await mend(postgres!)),
  }
}

function answering(name: string, mode: ProxyMode): Fault {
  const change = (to: ProxyMode) => (postgres: PostgresBehindProxy) => {
    postgres.proxy.mode = to
  }
  return inPostgres(name, change(mode), change("pass"))
}

/** Where there is a server. */
export const POSTGRES_FAULTS: readonly Fault[] = [
  inPostgres(
    "refused",
    ({ proxy }) => proxy.down(),
    ({ proxy }) => proxy.up(),
  ),
  inPostgres(
    "connections lost while idle",
    ({ proxy }) => proxy.cut(),
    () => {},
  ),
  answering("silent", "mute"),
  answering("hung up", "drop"),
  answering("answers that break off", "truncate"),
  answering("answers in no protocol", "garble"),
  inPostgres(
    "a row that somebody else holds",
    ({ hold }) => hold(),
    ({ letGo }) => letGo(),
  ),
]

function makeTables(file: string): void {
  const made = new DatabaseSync(file)
  made.exec("pragma journal_mode = wal; create table if not exists things (id text, name text) strict")
  made.close()
}

export interface MatrixOptions {
  /** Calls of each kind that meet each fault at once. */
  readonly parallel: number
  /** Times that each fault comes. Default 1. */
  readonly rounds?: number
}

export interface MatrixFigures {
  readonly faults: readonly FaultFigures[]
  /** Sockets of the application after its close. */
  readonly socketsAfterClose: number
}

/** All faults one after the other, at one application in a process of its own. */
export async function faultMatrix({ parallel, rounds = 1 }: MatrixOptions): Promise<MatrixFigures> {
  const folder = mkdtempSync(join(tmpdir(), "trestle-faults-"))
  const file = join(folder, "things.db")
  makeTables(file)
  await using plain = await Receiver.open(WELL)
  await using tls = await Receiver.open(WELL, withCertificate("valid"))
  await using postgres = await postgresBehindProxy()
  const places = { plain: plain.url, tls: `https://localhost:${tls.port}`, file, postgres: postgres?.url ?? null }
  await using app = await calledProcess(places)
  const world: World = { app, plain, tls, file, postgres }
  const all = postgres === null ? FAULTS : [...FAULTS, ...POSTGRES_FAULTS]
  try {
    // What is loaded and compiled with the first calls is no fault's doing.
    for (const group of new Set(all.map((fault) => fault.group))) for (let i = 0; i < 20; i++) await bothKinds(app, group, parallel)
    const faults: FaultFigures[] = []
    for (let round = 0; round < rounds; round++) for (const fault of all) faults.push(await meet(fault, world, parallel))
    await app.close()
    return { faults, socketsAfterClose: app.sockets() }
  } finally {
    letGo()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function meet(fault: Fault, world: World, parallel: number): Promise<FaultFigures> {
  const { app } = world
  app.memory.mark()
  await fault.begin(world)
  const under = await bothKinds(app, fault.group, parallel)
  await fault.mend(world)
  // A name that nobody knows cannot be mended: that others are well is what is left to see.
  const well = await bothKinds(app, fault.group === "nowhere" ? "plain" : fault.group, 1)
  return {
    connector: fault.connector,
    fault: fault.name,
    ...under,
    grownMib: app.memory.grownMib,
    sockets: app.sockets(),
    nextIsWell: well.ends.join() === "ok",
  }
}

async function bothKinds(app: CalledProcess, group: string, times: number): Promise<{ ends: string[]; slowestMs: number }> {
  const read = await app.call(`${group}.read`, times)
  const write = await app.call(`${group}.write`, times)
  return { ends: [...new Set([...read.ends, ...write.ends])], slowestMs: Math.max(read.slowestMs, write.slowestMs) }
}
