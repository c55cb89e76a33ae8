// Requests as bytes: what a well-behaved client would never send.
import { connect, type Socket } from "node:net"

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Exchange {
  readonly answers: readonly RawAnswer[]
  readonly text: string
  /** Who ended it: the server, with or without a reset; or nobody, within the time. */
  readonly ended: "closed" | "reset" | "open"
  readonly ms: number
}

export interface RawOptions {
  /** Ends when so many final answers have come. Default: when the server closes. */
  readonly answers?: number
  readonly withinMs?: number
  /** Goes on writing after the first bytes; stops by itself when the socket is gone. */
  readonly then?: (socket: Socket) => void
}

/** Writes the bytes on a connection of their own, and reads what comes. */
export function raw(
  port: number,
  bytes: string | Buffer,
  { answers = Infinity, withinMs = 3_000, then }: RawOptions = {},
): Promise<Exchange> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    let text = ""
    const end = (ended: Exchange["ended"]): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ answers: answersIn(text), text, ended, ms: performance.now() - startedAt })
    }
    const timer = setTimeout(() => end("open"), withinMs)
    socket.on("connect", () => {
      socket.write(bytes)
      then?.(socket)
    })
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1")
      if (answers !== Infinity && answersIn(text).length >= answers) end("open")
    })
    socket.on("error", () => end("reset"))
    socket.on("close", () => end("closed"))
  })
}

/** Whole answers only; 1xx are left out. */
export function answersIn(text: string): RawAnswer[] {
  const found: RawAnswer[] = []
  let rest = text
  for (;;) {
    const headEnd = rest.indexOf("\r\n\r\n")
    const match = /^HTTP\/1\.1 (\d{3})/.exec(rest)
    if (headEnd === -1 || !match) return found
    const status = Number(match[1])
    const headers = Object.fromEntries(
      rest
        .slice(0, headEnd)
        .split("\r\n")
        .slice(1)
        .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
    )
    const length = status === 204 || status < 200 ? 0 : Number(headers["content-length"] ?? 0)
    if (rest.length < headEnd + 4 + length) return found
    if (status >= 200)
      found.push({ status, headers, body: Buffer.from(rest.slice(headEnd + 4, headEnd + 4 + length), "latin1").toString("utf8") })
    rest = rest.slice(headEnd + 4 + length)
  }
}

/** A request's text; `host` comes by itself. */
export function request(line: string, headers: Readonly<Record<string, string | number>> = {}, body = ""): string {
  const fields = Object.entries({ host: "a.test", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${fields.join("")}\r\n${body}`
}

/** A POST of this text as JSON. */
export function post(path: string, text: string, headers: Readonly<Record<string, string | number>> = {}): string {
  return request(`POST ${path}`, { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers }, text)
}
