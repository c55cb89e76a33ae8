import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, describe, test } from "vitest"
import { z } from "zod"
import { bearer, env, op, rest, secret } from "../../src/index.ts"
import { connectorPromises } from "../../src/testing/index.ts"

const TOKEN = "conformance-token-9f2c"

/** Notes in memory: POST makes one, once; GET gives it. */
function noteServer(): Server {
  const notes = new Map<string, string>()
  return createServer(async (request, response) => {
    const end = (status: number, body?: unknown): void => void response.writeHead(status).end(body && JSON.stringify(body))
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return end(401)
    const key = decodeURIComponent(request.url!.slice("/notes/".length))
    if (request.method === "GET") return notes.has(key) ? end(200, { text: notes.get(key) }) : end(404)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (notes.has(key)) return end(409)
    notes.set(key, JSON.parse(Buffer.concat(chunks).toString()).text)
    end(201, { key })
  })
}

const server = noteServer()
const place = { host: "127.0.0.1", port: 0 }

beforeAll(async () => {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  place.port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe("rest", () => {
  let run = 0
  const promises = connectorPromises({
    name: "rest",
    server: place,
    conflict: "CONFLICT",
    declare(at, policy) {
      // The server outlives a promise, so each has keys of its own.
      const prefix = `run-${++run}-`
      const notes = rest({ url: env("NOTES_URL"), auth: bearer(secret("NOTES_TOKEN")), policy })
      return {
        service: notes,
        variables: { NOTES_URL: `http://${at!.host}:${at!.port}`, NOTES_TOKEN: TOKEN },
        write: op({
          effect: "write",
          input: z.object({ key: z.string(), text: z.string() }),
          output: z.object({ key: z.string() }),
        }).via(notes.call("POST /notes/{key}", { params: (i) => ({ key: prefix + i.key }), body: (i) => ({ text: i.text }) })),
        read: op({ effect: "read", input: z.object({ key: z.string() }), output: z.object({ text: z.string() }) }).via(
          notes.call("GET /notes/{key}", { params: (i) => ({ key: prefix + i.key }) }),
        ),
      }
    },
  })
  for (const { name, run } of promises) test(name, run)
})
