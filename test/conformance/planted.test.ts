import { once } from "node:events"
import { type AddressInfo, createServer, type Server } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { memcached } from "../../examples/memcached-connector/index.ts"
import { type Answer, type Backend, backend } from "../../src/contract/connector.ts"
import { nothing, op } from "../../src/index.ts"
import { connectorPromises } from "../../src/testing/index.ts"

// Connectors with one mistake each: the promise that is made for it must find it, or it proves nothing.

/** Understands as much of memcached as the promises need, so that this test needs nothing installed. */
function memoryServer(): Server {
  const entries = new Map<string, string>()
  return createServer((socket) => {
    let pending = ""
    socket.setEncoding("latin1").on("error", () => socket.destroy())
    socket.on("data", (text: string) => {
      pending += text
      for (;;) {
        const command = /^(?:get (\S+)|(add|set) (\S+) \d+ \d+ (\d+))\r\n/.exec(pending)
        if (!command) return
        const end = command[0].length + (command[1] ? 0 : Number(command[4]) + 2)
        if (pending.length < end) return
        const value = pending.slice(command[0].length, end - 2)
        pending = pending.slice(end)
        const [, get, verb, key] = command
        if (get) {
          const found = entries.get(get)
          socket.write(found === undefined ? "END\r\n" : `VALUE ${get} 0 ${found.length}\r\n${found}\r\nEND\r\n`, "latin1")
        } else if (verb === "add" && entries.has(key!)) socket.write("NOT_STORED\r\n")
        else {
          entries.set(key!, value)
          socket.write("STORED\r\n")
        }
      }
    })
  })
}

const server = memoryServer()
const place = { host: "127.0.0.1", port: 0 }
beforeAll(async () => {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  place.port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())

type Wrap = (answer: Answer, input: any, call: any) => unknown
const as = (inner: Backend<any, any>, wrap: Wrap): Backend<any, any> =>
  backend("memcached", {
    ...inner.plan,
    bind: (site) => {
      const answer = inner.plan.bind(site)
      return (input, call) => wrap(answer, input, call)
    },
  })

interface Mistake {
  readonly write?: Wrap
  readonly read?: Wrap
  readonly set?: true
}

let runs = 0
function promisesOf(mistake: Mistake): ReturnType<typeof connectorPromises> {
  return connectorPromises({
    name: "sloppy",
    server: place,
    conflict: "CONFLICT",
    declare(at, policy) {
      const prefix = `planted-${++runs}-`
      const store = memcached({ address: `${at!.host}:${at!.port}`, policy })
      const entry = (i: { key: string; text: string }) => ({ key: prefix + i.key, text: i.text })
      const add: Backend<any, any> = mistake.set ? store.set(entry) : store.add(entry)
      const get: Backend<any, any> = store.get((i: { key: string }) => prefix + i.key)
      return {
        service: store,
        variables: {},
        write: op({ effect: "write", input: z.object({ key: z.string(), text: z.string() }), output: nothing }).via(
          mistake.write ? as(add, mistake.write) : add,
        ),
        read: op({ effect: "read", input: z.object({ key: z.string() }), output: z.object({ text: z.string() }) }).via(
          mistake.read ? as(get, mistake.read) : get,
        ),
      }
    },
  })
}

const run = (mistake: Mistake, part: string): Promise<void> => {
  const found = promisesOf(mistake).filter(({ name }) => name.includes(part))
  expect(found).toHaveLength(1)
  return found[0]!.run()
}

let last: Promise<unknown> = Promise.resolve({ text: "" })

describe("a connector with a mistake", () => {
  test.each<[string, Mistake, string]>([
    ["a driver that repeats a write by itself", { set: true }, "no answer → a write is unknown, was sent once"],
    [
      "an error that claims that nothing has happened",
      {
        write: async (answer, input, call) =>
          Promise.resolve(answer(input, call)).catch((e) => Promise.reject(Object.assign(e, { outcome: "refused" }))),
      },
      "a connection that is lost before the answer → a write is unknown",
    ],
    [
      "a swallowed error",
      { write: async (answer, input, call) => Promise.resolve(answer(input, call)).catch(() => undefined) },
      "an answer that breaks off → a write is unknown",
    ],
    ["a write that overwrites", { set: true }, "a record that is already there"],
    [
      "an answer that belongs to another call",
      {
        read: (answer, input, call) => {
          const before = last
          last = Promise.resolve(answer(input, call))
          return before
        },
      },
      "64 calls at once",
    ],
    [
      "text that is trimmed",
      { write: (answer, input, call) => answer({ ...input, text: input.text.trim() }, call) },
      "stores spaces at both ends",
    ],
    [
      "an answer that names nobody",
      {
        write: async (answer, input, call) => {
          await answer(input, call)
          call.noteServedBy("somebody")
        },
      },
      "says who served it",
    ],
    [
      "an empty answer for what is not there",
      { read: async (answer, input, call) => Promise.resolve(answer(input, call)).catch(() => ({ text: "" })) },
      "a record that is not there",
    ],
  ])("%s → is found", async (_what, mistake, part) => {
    await expect(run(mistake, part)).rejects.toMatchObject({ name: "TestFailure" })
    last = Promise.resolve({ text: "" })
  })

  test("without one, all are kept", async () => {
    for (const promise of promisesOf({})) await promise.run()
  })
})
