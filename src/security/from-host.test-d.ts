// Compiled, never run: what a host's object may be, and what its function must answer.
import type { IncomingMessage } from "node:http"
import type { FastifyRequest } from "fastify"
import { fastify } from "fastify"
import type { Context } from "hono"
import { Hono } from "hono"
import { type App, fromHost, type Principal } from "../index.ts"

declare const known: Map<unknown, Principal>
declare const app: App<object>

fromHost((request: FastifyRequest) => known.get(request.id) ?? null)
fromHost<IncomingMessage>(async (request) => known.get(request.url) ?? null)
fromHost((c: Context) => (c.req.header("x-user") ? { id: "1", kind: "user" as const } : null))
// @ts-expect-error nobody is null: undefined is a forgotten return
fromHost((request: FastifyRequest) => known.get(request.id))
// @ts-expect-error a kind of principal
fromHost(() => ({ id: "1", kind: "person" }))

const running = await app.start({ log: fastify().log })
// Whatever server, logger or schemas the host's Fastify has.
await fastify({ http2: true }).register(running.plugin(), { prefix: "/api" })
await fastify({ logger: { level: "warn" } }).register(running.plugin({ close: false, notFound: "own" }))
// @ts-expect-error who answers is the host or we
running.plugin({ notFound: "nobody" })
new Hono().mount("/api", running.fetch)
new Hono().all("/api/*", (c) => running.fetch(c.req.raw, { prefix: "/api", host: c }))
// @ts-expect-error no logger
await app.start({ log: { info: () => {} } })
