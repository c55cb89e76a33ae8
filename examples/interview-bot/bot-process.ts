// The real `main.ts` as `npm start` runs it: its own process, its own world, real HTTP.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { type Reply, read } from "./fixture.ts"

const HERE = import.meta.dirname

export interface Bot {
  readonly child: ChildProcess
  readonly url: string
  /** Recruiter key of the banner. */
  readonly key: string
  /** Where the demo world's own switches listen. */
  readonly worldUrl: string
  said(): string
  call(route: string, init?: { credential?: string | undefined; body?: unknown }): Promise<Reply>
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; ms: number }>
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, "close")
  return port
}

export function spawnBot(env: Readonly<Record<string, string>>) {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, ["--conditions=trestle-source", "main.ts"], {
    cwd: HERE,
    env: { PATH, HOME, NODE_COMPILE_CACHE, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let said = ""
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said += text
    })
  }
  return { child, said: () => said }
}

/**
 * Until the first attempt at a record that is made later is over. What a process has in hand when it is killed is nobody else's for 30 s,
 * which would be waited for in real time.
 */
export async function laterAttempt(bot: Bot): Promise<void> {
  while (!/ 503 +inside\.createPerson /.test(bot.said())) await sleep(20)
}

export async function startBot(env: Readonly<Record<string, string>>): Promise<Bot> {
  const controlPort = await freePort()
  const { child, said } = spawnBot({ PORT: String(await freePort()), CONTROL_PORT: String(controlPort), ...env })
  while (!said().includes("Ctrl-C")) {
    if (child.exitCode !== null) throw new Error(`the bot ended with ${child.exitCode}: ${said()}`)
    await Promise.race([once(child.stdout!, "data"), once(child, "exit")])
  }
  const url = /API\s+(http:\S+)/.exec(said())![1]!
  return {
    child,
    said,
    url,
    key: /Recruiter key\s+(\S+)/.exec(said())![1]!,
    worldUrl: `http://127.0.0.1:${controlPort}/_demo/people`,
    async call(route, { credential, body } = {}) {
      const [method = "", path = ""] = route.split(" ")
      const headers = { ...(credential ? { authorization: `Bearer ${credential}` } : {}), "content-type": "application/json" }
      return read(await fetch(url + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) }))
    },
    async stop(signal = "SIGTERM") {
      const startedAt = performance.now()
      const exit = child.exitCode === null ? once(child, "exit") : [child.exitCode]
      child.kill(signal)
      const [code] = await exit
      return { code, ms: performance.now() - startedAt }
    },
  }
}
