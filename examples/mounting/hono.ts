import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { serverSettings } from "trestle"
import { app, userOf } from "./app.ts"

const running = await app.start()

const host = new Hono()
host.get("/", (c) => c.text("the host's own page"))
host.all("/api/*", (c) => {
  const user = userOf(c.req.header("authorization"))
  return running.fetch(c.req.raw, { prefix: "/api", host: { user } })
})

const options = { fetch: host.fetch, serverOptions: serverSettings, port: Number(process.env.PORT ?? 4000) }
const server = serve(options, ({ port }) => console.info(JSON.stringify({ port })))
process.once("SIGTERM", () => server.close(() => running.close()))
