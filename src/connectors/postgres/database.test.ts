import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import pg from "pg"
import { expect, onTestFinished, test, vi } from "vitest"
import { type PostgresAddress, readAddress } from "./address.ts"
import { PostgresDatabase } from "./database.ts"
import type { PgDriver } from "./driver.ts"

test("a server that accepts and says nothing: given up after ten seconds, and the connection is closed", async () => {
  const server = createServer().listen(0, "127.0.0.1")
  onTestFinished(() => void server.close())
  await once(server, "listening")
  const address = readAddress(`postgres://ada@127.0.0.1:${(server.address() as AddressInfo).port}/notes`) as PostgresAddress
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  onTestFinished(() => void vi.useRealTimers())
  const connecting = new PostgresDatabase(pg as unknown as PgDriver, address, "notes").connect()
  const [socket] = (await once(server, "connection")) as [Socket]
  vi.advanceTimersByTime(10_000)
  await expect(connecting).rejects.toThrow("no answer within 10000 ms")
  socket.resume()
  await once(socket, "close")
})
