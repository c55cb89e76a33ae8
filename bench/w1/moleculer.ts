import { ServiceBroker } from "moleculer"
import ApiGateway from "moleculer-web"
import { Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"

const pool = new Pool(upstream, { connections: CONNECTIONS })
const broker = new ServiceBroker({ logger: false })

broker.createService({
  name: "items",
  actions: {
    async get(ctx: any) {
      const answer = await pool.request({ path: `/items/${encodeURIComponent(ctx.params.id)}`, method: "GET" })
      ctx.meta.$statusCode = answer.statusCode
      return answer.body.json()
    },
  },
})
const gateway = broker.createService({
  name: "api",
  mixins: [ApiGateway as any],
  settings: {
    port: 0,
    ip: "127.0.0.1",
    logRequest: null,
    logResponse: null,
    log4XXResponses: false,
    routes: [{ path: "/", aliases: { "GET items/:id": "items.get" }, mappingPolicy: "restrict" }],
  },
})
await broker.start()
readyOn((gateway as any).server)()
