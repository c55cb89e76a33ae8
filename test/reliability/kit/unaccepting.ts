import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { setTimeout as pause } from "node:timers/promises"

/** A port whose connections are not made: somebody listens, stands still, and has as many waiting as fit. */
export interface UnacceptingPort extends AsyncDisposable {
  readonly port: number
  /** Connections to it that are being made, of this machine. */
  connecting(): number
}

const LISTEN = `const s = require("node:net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(s.address().port))`
/** By then the system has made a connection to its own machine, or will not. */
const MADE_MS = 200

export async function unacceptingPort(): Promise<UnacceptingPort> {
  const child = spawn(process.execPath, ["-e", LISTEN], { stdio: ["ignore", "pipe", "inherit"] })
  const [line] = await once(child.stdout, "data")
  const port = Number(String(line))
  child.kill("SIGSTOP")
  const waiting: Socket[] = []
  const isMade = async (): Promise<boolean> => {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => undefined)
    const made = await Promise.race([once(socket, "connect").then(() => true), pause(MADE_MS, false)])
    if (made) waiting.push(socket)
    else socket.destroy()
    return made
  }
  while (await isMade());
  return {
    port,
    connecting: () => connectingTo(port),
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.destroy()
      const ended = once(child, "close")
      child.kill("SIGKILL")
      await ended
    },
  }
}

const SYN_SENT = "02"

/** Source: proc(5), /proc/net/tcp. */
function connectingTo(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0")
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[2]?.endsWith(`:${hex}`) && fields[3] === SYN_SENT).length
}
