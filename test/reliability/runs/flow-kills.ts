// A flow of four steps whose process is killed (kill -9) at each point between its effects and its records.
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { json } from "node:stream/consumers"

const SUBJECT = new URL("../flow-kills/subject.ts", import.meta.url).pathname
const DONE = { reserve: 1, charge: 1, ship: 1, release: 0, refund: 0, booked: 1 }
const UNDONE = { reserve: 1, charge: 1, ship: 0, release: 1, refund: 1, booked: 0 }
const NOTHING = { reserve: 0, charge: 0, ship: 0, release: 0, refund: 0, booked: 0 }

export interface FlowKillOptions {
  readonly folder: string
  /** How often the process is killed at each point. */
  readonly times: number
  /** Only every so manieth point. Default 1. */
  readonly every?: number
}

export interface FlowKillFigures {
  /** Points of a run that goes well, and of one that fails. */
  readonly points: readonly [number, number]
  readonly kills: number
  readonly done: number
  readonly undone: number
  /** Killed before the flow was stored: nobody was told that it would be done. */
  readonly neverBegun: number
  /** Requests that came again under the same key. */
  readonly repeated: number
  /** What is neither done nor undone, or done twice. */
  readonly wrong: readonly string[]
}

/** The other system: an effect once for each key, counted by order; what it knows is in a process that nobody kills. */
class Receiver {
  readonly #answers = new Map<string, number>()
  readonly #effects = new Map<string, number>()
  repeated = 0
  readonly #server = createServer(async (request, response) => {
    const { what, id, isDeclined } = (await json(request)) as { what: string; id: string; isDeclined: boolean }
    const key = String(request.headers["idempotency-key"])
    const known = this.#answers.get(key)
    if (known !== undefined) this.repeated++
    const status = known ?? (what === "ship" && isDeclined ? 402 : 201)
    this.#answers.set(key, status)
    if (known === undefined && status === 201) this.#effects.set(`${what} ${id}`, this.count(what, id) + 1)
    response.writeHead(status, { "content-type": "application/json" }).end("{}")
  })

  count(what: string, id: string): number {
    return this.#effects.get(`${what} ${id}`) ?? 0
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

interface Ended {
  readonly isKilled: boolean
  readonly said: { readonly points: number; readonly states: readonly string[] } | null
}

/** Kills at each point, then lets another process go on with everything that is left, then counts. */
export async function flowKills({ folder, times, every = 1 }: FlowKillOptions): Promise<FlowKillFigures> {
  const receiver = new Receiver()
  const url = await receiver.listen()
  const figures = { kills: 0, done: 0, undone: 0, neverBegun: 0, wrong: [] as string[] }
  const points: [number, number] = [0, 0]
  try {
    for (const isDeclined of [false, true]) {
      const file = join(folder, `${isDeclined ? "declined" : "well"}.db`)
      // Thousands of processes load the same sources.
      const given = { RECEIVER: url, DATABASE: file, TRESTLE_DATA: folder, NODE_COMPILE_CACHE: join(folder, "compiled") }
      const run = (more: Record<string, string>): Promise<Ended> => ended({ ...given, ...more })
      const orderOf = (id: string): string => JSON.stringify({ id, isDeclined })
      const kind = isDeclined ? "declined" : "well"
      const whole = await run({ ORDER: orderOf(kind) })
      points[isDeclined ? 1 : 0] = whole.said!.points
      const ids = [kind]
      for (let at = 1; at <= whole.said!.points; at += every) {
        for (let n = 0; n < times; n++) {
          const id = `${kind} ${at} ${n}`
          ids.push(id)
          const { isKilled } = await run({ ORDER: orderOf(id), DIE_AT: String(at) })
          if (isKilled) figures.kills++
          else figures.wrong.push(`${id} was not killed`)
        }
      }
      expireLeases(file)
      const { said } = await run({})
      // Done or, undone, failed.
      for (const state of said?.states ?? ["nothing said"])
        if (state !== "done" && state !== "failed") figures.wrong.push(`a flow is ${state}`)
      judge(ids, { receiver, file, isDeclined, figures })
    }
  } finally {
    receiver.close()
  }
  return { points, ...figures, repeated: receiver.repeated }
}

/** Half a minute, without waiting for it. */
function expireLeases(file: string): void {
  const database = new DatabaseSync(file)
  database.exec("update trestle_jobs set due_at = 0 where state = 'running'")
  database.close()
}

function judge(
  ids: readonly string[],
  {
    receiver,
    file,
    isDeclined,
    figures,
  }: {
    receiver: Receiver
    file: string
    isDeclined: boolean
    figures: Omit<FlowKillFigures, "points" | "repeated"> & { done: number; undone: number; neverBegun: number; wrong: string[] }
  },
): void {
  const database = new DatabaseSync(file)
  const booked = database.prepare("select count(*) as n from bookings where id = ?")
  for (const id of ids) {
    const found = { ...NOTHING, booked: Number(booked.get(id)!.n) }
    for (const what of ["reserve", "charge", "ship", "release", "refund"] as const) found[what] = receiver.count(what, id)
    const text = JSON.stringify(found)
    if (!isDeclined && text === JSON.stringify(DONE)) figures.done++
    else if (isDeclined && text === JSON.stringify(UNDONE)) figures.undone++
    else if (text === JSON.stringify(NOTHING)) figures.neverBegun++
    else figures.wrong.push(`${id}: ${text}`)
  }
  database.close()
}

function ended(env: Record<string, string>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--no-warnings", SUBJECT], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    })
    let text = ""
    child.stdout.setEncoding("utf8").on("data", (some: string) => {
      text += some
    })
    child.once("error", reject)
    child.once("close", (_, signal) => {
      const line = text.split("\n").find((one) => one.startsWith('{"points"'))
      resolve({ isKilled: signal === "SIGKILL", said: line === undefined ? null : JSON.parse(line) })
    })
  })
}
