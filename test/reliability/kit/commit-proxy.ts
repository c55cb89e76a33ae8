import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** A TCP proxy before a PostgreSQL server that can lose the answer to COMMIT, and nothing else. */
export interface CommitProxy extends AsyncDisposable {
  readonly port: number
  losesCommits: boolean
  [Symbol.asyncDispose](): Promise<void>
}

const COMMIT = /commit\0/i

export async function commitProxy(target: { readonly host: string; readonly port: number }): Promise<CommitProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const behind = connect(target)
    let isLost = false
    const end = (): void => {
      client.destroy()
      behind.destroy()
    }
    for (const socket of [client, behind]) {
      sockets.add(socket)
      socket.on("error", end).on("close", () => {
        sockets.delete(socket)
        end()
      })
    }
    client.on("data", (bytes: Buffer) => {
      if (proxy.losesCommits && COMMIT.test(bytes.toString("latin1"))) isLost = true
      behind.write(bytes)
    })
    behind.on("data", (bytes: Buffer) => (isLost ? end() : client.write(bytes)))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const proxy: CommitProxy = {
    port: (server.address() as AddressInfo).port,
    losesCommits: false,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close")
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
  return proxy
}
