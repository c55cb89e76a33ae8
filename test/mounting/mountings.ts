// One application, mounted in every way there is, each on a real socket.
import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { serve } from "@hono/node-server"
import express from "express"
import { fastify } from "fastify"
import { Hono } from "hono"
import { authenticator, type Running } from "trestle"

export const PREFIX = "/api"

/** A place where the application can be asked. */
export interface Mounting {
  readonly port: number
  readonly prefix: string
  close(): Promise<unknown>
}

export type Open = (running: Running<any>) => Promise<Mounting>

export async function listening(server: Server): Promise<Mounting> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return mounted(server)
}

export function mounted(server: Server, prefix = PREFIX): Mounting {
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, prefix, close }
}

/** Closing a host does not close the application here: all of them share it. */
export const MOUNTINGS: Readonly<Record<string, Open>> = {
  standalone: async (running) => ({
    port: Number(new URL((await running.listen({ port: 0 })).url).port),
    prefix: "",
    close: async () => {},
  }),
  "Fastify plugin": async (running) => {
    const host = fastify({ routerOptions: { maxParamLength: 512 } })
    await host.register(running.plugin({ close: false, notFound: "own" }), { prefix: PREFIX })
    await host.listen({ port: 0 })
    return { ...mounted(host.server), close: () => host.close() }
  },
  Express: (running) => {
    const host = express().disable("x-powered-by")
    return listening(createServer(host.use(PREFIX, running.handler({ notFound: "own" }))))
  },
  "node:http": (running) => listening(createServer(running.handler({ prefix: PREFIX }))),
  "Hono, prefix stated": (running) => {
    const host = new Hono().all(`${PREFIX}/*`, (c) => running.fetch(c.req.raw, { prefix: PREFIX }))
    return new Promise((resolve) => {
      const server = serve({ fetch: host.fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(mounted(server as Server)))
    })
  },
  "Hono's mount": (running) => {
    const host = new Hono().mount(PREFIX, running.fetch)
    return new Promise((resolve) => {
      const server = serve({ fetch: host.fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(mounted(server as Server)))
    })
  },
}

export interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Told {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Over a connection of its own; the path goes out as it is written. */
export function ask({ port, prefix }: Mounting, { method = "GET", path, headers = {}, body }: Asked): Promise<Told> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", method, path: prefix + path, headers, agent: false }, (reply) => {
      const chunks: Buffer[] = []
      reply.on("data", (chunk) => chunks.push(chunk)).on("error", reject)
      reply.on("end", () => resolve({ status: reply.statusCode!, headers: reply.headers, body: Buffer.concat(chunks).toString() }))
    })
    sent.on("error", reject).end(body)
  })
}

/** A credential that needs no host. */
export const badges = authenticator("badge", ({ headers }) => {
  if (headers.authorization === "Bearer writer") return { id: "writer", kind: "user", roles: ["writer"] }
  const badge = headers["x-badge"]
  if (badge === undefined) return null
  return badge === "reader" || badge === "writer" ? { id: badge, kind: "user", roles: [badge] } : "bad"
})
