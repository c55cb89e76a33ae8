// The real memcached, for the test: Debian's program on a free port, with a login.
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const LOGIN = "trestle conformance-pass-9f2c"

export const isInstalled = spawnSync("memcached", ["-V"]).status === 0

export interface MemcachedServer {
  readonly place: { readonly host: string; readonly port: number }
  stop(): Promise<void>
}

export async function startMemcached(): Promise<MemcachedServer> {
  const folder = mkdtempSync(join(tmpdir(), "memcached-"))
  const logins = join(folder, "logins")
  writeFileSync(logins, `${LOGIN.replace(" ", ":")}\n`, { mode: 0o644 })
  const place = { host: "127.0.0.1", port: await freePort() }
  const user = process.getuid?.() === 0 ? ["-u", "root"] : []
  const server = spawn("memcached", ["-l", place.host, "-p", String(place.port), "-U", "0", "-Y", logins, ...user], { stdio: "inherit" })
  await listens(place, server)
  const stop = async (): Promise<void> => {
    server.kill()
    await once(server, "exit")
    rmSync(folder, { recursive: true })
  }
  return { place, stop }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

async function listens(place: { host: string; port: number }, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const socket = connect(place)
    try {
      await once(socket, "connect")
      return
    } catch {
      // Not yet: the next turn asks again.
    } finally {
      socket.destroy()
    }
  }
  throw new Error(`memcached has ended with ${server.exitCode}`)
}
