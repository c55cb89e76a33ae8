import { fastify } from "fastify"
import { app, userOf } from "./app.ts"

const host = fastify({ logger: true })
host.decorateRequest("user")
host.addHook("onRequest", async (request) => {
  Object.assign(request, { user: userOf(request.headers.authorization) })
})

const running = await app.start({ log: host.log })
await host.register(running.plugin(), { prefix: "/api" })

host.get("/", async () => "the host's own page")
await host.listen({ port: Number(process.env.PORT ?? 4000) })
process.once("SIGTERM", () => host.close())
