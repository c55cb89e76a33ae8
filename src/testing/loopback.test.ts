import { createServer } from "node:http"
import { connect, Socket } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { onLoopbackOnly } from "./loopback.ts"

/** For documentation only: nobody has it. Source: RFC 5737. */
const ELSEWHERE = "192.0.2.1"

const errorOf = (socket: Socket): Promise<Error> => new Promise((resolve) => socket.once("error", resolve))

test.each([
  ["a host and a port", () => connect(80, ELSEWHERE)],
  ["options", () => connect({ host: ELSEWHERE, port: 80 })],
  ["a name", () => connect(80, "example.com")],
  ["a name that begins like ours", () => connect(80, "localhost.example.com")],
  ["a socket file", () => connect("/run/postgresql/.s.PGSQL.5432")],
  ["a socket's own method", () => new Socket().connect(80, ELSEWHERE)],
])("%s beyond this machine → refused at once", async (_, open) => {
  const error = await onLoopbackOnly(() => errorOf(open()))
  expect(error).toMatchObject({ code: "ECONNREFUSED", message: expect.stringContaining("beyond this machine") })
})

test("fetch beyond this machine → refused", async () => {
  const failed = onLoopbackOnly(() => fetch(`http://${ELSEWHERE}/`))
  await expect(failed).rejects.toMatchObject({ cause: { message: `refused: ${ELSEWHERE} is beyond this machine` } })
})

test("this machine → answers", async () => {
  const server = createServer((_, response) => void response.end("here"))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  for (const host of ["127.0.0.1", "localhost"])
    expect(await onLoopbackOnly(async () => (await fetch(`http://${host}:${port}/`)).text())).toBe("here")
})

test("the one host that is allowed → is connected to; no other, and not afterwards", async () => {
  const server = createServer((_, response) => void response.end("here"))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  // To the system it is this machine; by its number it is none of ours.
  const allowed = "0.0.0.0"
  const open = (host: string): Promise<"open" | "refused"> =>
    new Promise((resolve) => {
      const socket = connect(port, host, () => resolve("open"))
      socket.once("error", () => resolve("refused")).once("connect", () => socket.destroy())
    })
  expect(await onLoopbackOnly(() => Promise.all([open(allowed), open(ELSEWHERE)]), allowed)).toEqual(["open", "refused"])
  expect(await onLoopbackOnly(() => open(allowed))).toBe("refused")
})

test("two at once, then none → as before", async () => {
  const { connect: before } = Socket.prototype
  await Promise.all([onLoopbackOnly(async () => undefined), onLoopbackOnly(async () => expect(Socket.prototype.connect).not.toBe(before))])
  expect(Socket.prototype.connect).toBe(before)
})
