import proxy from "@fastify/http-proxy"
import Fastify from "fastify"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"

const app = Fastify()
await app.register(proxy, { upstream, prefix: "/items", rewritePrefix: "/items", undici: { connections: CONNECTIONS, pipelining: 1 } })
await app.listen({ port: 0, host: "127.0.0.1" })
readyOn(app.server)()
