// A recording of 1 GiB through the bot's real process, whose memory is looked at meanwhile.
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { type ClientRequest, type IncomingMessage, request } from "node:http"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { crc32 } from "node:zlib"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { type Bot, startBot } from "./bot-process.ts"
import { freshFolder } from "./fixture.ts"

const MIB = 1_048_576
const GIB = 1_024 * MIB
/** What the bot may hold above its idle memory, whatever the size of the file; 50 to 75 MiB were measured, most of it not yet collected. */
const EXTRA_BYTES_MAX = 128 * MIB

let folder: string
let bot: Bot
let ada: { id: string; token: string }

beforeAll(async () => {
  folder = await freshFolder()
  bot = await startBot({ TRESTLE_DATA: folder })
  const body = { name: "Ada Lovelace", email: "ada@example.org", level: "senior" }
  ada = (await bot.call("POST /candidates", { body })).body
})
afterAll(() => bot?.stop())

const memoryOf = (pid: number): number => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1_024

/** The most that the bot holds while `during` runs, above what it held before. */
async function extraMemory<T>(during: () => Promise<T>): Promise<{ value: T; extra: number }> {
  const pid = bot.child.pid!
  const before = memoryOf(pid)
  let peak = before
  const sampling = setInterval(() => {
    peak = Math.max(peak, memoryOf(pid))
  }, 20)
  try {
    return { value: await during(), extra: peak - before }
  } finally {
    clearInterval(sampling)
  }
}

interface Upload {
  readonly size: number
  readonly headers?: Record<string, string>
}

function open(method: string, headers: Record<string, string | number> = {}): ClientRequest {
  const all = { authorization: `Bearer ${ada.token}`, ...headers }
  const sent = request(`${bot.url}/candidates/${ada.id}/recording`, { method, headers: all })
  onTestFinished(() => void sent.destroy())
  return sent
}

/** Sends pieces that are never all there, no faster than they are taken. */
async function upload({ size, headers = {} }: Upload): Promise<{ status: number; body: any; crc: number }> {
  const sent = open("POST", { "content-type": "video/webm", ...headers })
  const replied = once(sent, "response") as Promise<[IncomingMessage]>
  let isOver = false
  let wake = (): void => {}
  const end = (): void => {
    isOver = true
    wake()
  }
  sent
    .on("drain", () => wake())
    .on("response", end)
    .on("close", end)
    .on("error", end)
  const piece = Buffer.alloc(MIB, 7)
  let crc = 0
  for (let left = size, i = 0; left > 0 && !isOver; left -= MIB, i++) {
    piece.writeUInt32LE(i)
    const part = left < MIB ? piece.subarray(0, left) : piece
    crc = crc32(part, crc)
    // The piece is written over for the next one.
    if (!sent.write(Buffer.from(part))) await new Promise<void>((resolve) => (wake = resolve))
  }
  sent.end()
  const [reply] = await replied
  const chunks: Buffer[] = await reply.toArray()
  return { status: reply.statusCode!, body: JSON.parse(Buffer.concat(chunks).toString()), crc }
}

async function opened(): Promise<IncomingMessage> {
  const sent = open("GET")
  sent.end()
  const [reply] = (await once(sent, "response")) as [IncomingMessage]
  return reply
}

async function download(): Promise<{ reply: IncomingMessage; bytes: number; crc: number }> {
  const reply = await opened()
  let crc = 0
  let bytes = 0
  for await (const chunk of reply) {
    crc = crc32(chunk as Buffer, crc)
    bytes += chunk.length
  }
  return { reply, bytes, crc }
}

const stored = (): string[] => readdirSync(join(folder, "world", "files"))

async function until(holds: () => boolean, ms = 5_000): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await pause(20)) if (holds()) return true
  return holds()
}

describe("a recording of 1 GiB", () => {
  test("up and down: the same bytes, in constant memory", async () => {
    const name = "attachment; filename*=UTF-8''gespr%C3%A4ch.webm"
    const up = await extraMemory(() => upload({ size: GIB, headers: { "content-length": String(GIB), "content-disposition": name } }))
    expect(up.value).toMatchObject({ status: 201, body: { bytes: GIB } })
    const down = await extraMemory(download)
    expect({ bytes: down.value.bytes, crc: down.value.crc }).toEqual({ bytes: GIB, crc: up.value.crc })
    expect(down.value.reply.headers).toMatchObject({
      "content-type": "video/webm",
      "content-length": String(GIB),
      "content-disposition": `attachment; filename="gespr_ch.webm"; filename*=UTF-8''gespr%C3%A4ch.webm`,
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox",
    })
    expect(up.extra).toBeLessThan(EXTRA_BYTES_MAX)
    expect(down.extra).toBeLessThan(EXTRA_BYTES_MAX)
  }, 60_000)

  test("a reader that stops: nothing is collected for it in the bot", async () => {
    const { extra } = await extraMemory(async () => {
      const reply = await opened()
      reply.pause()
      await pause(1_500)
      reply.destroy()
    })
    expect(extra).toBeLessThan(EXTRA_BYTES_MAX)
  })

  test("a client that leaves in the middle of an upload: the file service keeps what it had, and no part of the new one", async () => {
    const before = (await opened()).headers["content-length"]
    const sent = open("POST", { "content-type": "video/webm" })
    sent.on("error", () => {})
    sent.write(Buffer.alloc(4 * MIB))
    expect(await until(() => stored().some((name) => name.includes(".part-")))).toBe(true)
    sent.destroy()
    expect(await until(() => !stored().some((name) => name.includes(".part-")))).toBe(true)
    const reply = await opened()
    expect(reply.headers["content-length"]).toBe(before)
    reply.destroy()
  })

  test("a client that leaves in the middle of a download: the log says so, and the bot goes on", async () => {
    const reply = await opened()
    await once(reply, "data")
    reply.destroy()
    expect(await until(() => /recordings\.download.*CANCELLED/.test(bot.said()))).toBe(true)
    expect(await bot.call(`GET /candidates/${ada.id}`, { credential: ada.token })).toMatchObject({ status: 200 })
  })
})

describe("a recording that is not taken", () => {
  test("larger than the limit by its own word: 413 before a byte is read", async () => {
    const sent = open("POST", { "content-type": "video/webm", "content-length": 3 * GIB })
    sent.on("error", () => {})
    sent.flushHeaders()
    const [reply] = (await once(sent, "response")) as [IncomingMessage]
    expect(reply.statusCode).toBe(413)
  })

  test("of another type: 415", async () => {
    expect(await upload({ size: 10, headers: { "content-type": "text/html" } })).toMatchObject({ status: 415 })
  })

  test("of somebody else: 404, before the file is read", async () => {
    const sent = request(`${bot.url}/candidates/999999/recording`, {
      method: "POST",
      headers: { authorization: `Bearer ${ada.token}`, "content-type": "video/webm", "content-length": GIB },
    })
    sent.on("error", () => {})
    sent.flushHeaders()
    const [reply] = (await once(sent, "response")) as [IncomingMessage]
    expect(reply.statusCode).toBe(404)
    sent.destroy()
  })
})
