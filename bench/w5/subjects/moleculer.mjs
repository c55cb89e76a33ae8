import { ServiceBroker } from "moleculer"
import ApiGateway from "moleculer-web"
import { Pool } from "undici"

const pool = new Pool(process.env.UPSTREAM)
const broker = new ServiceBroker({ logger: false })
broker.createService({
  name: "items",
  actions: {
    async get(ctx) {
      const answer = await pool.request({ path: `/items/${encodeURIComponent(ctx.params.id)}`, method: "GET" })
      ctx.meta.$statusCode = answer.statusCode
      return answer.body.json()
    },
  },
})
const gateway = broker.createService({
  name: "api",
  mixins: [ApiGateway],
  settings: {
    port: 0,
    ip: "127.0.0.1",
    logRequest: null,
    logResponse: null,
    routes: [{ path: "/", aliases: { "GET items/:id": "items.get" } }],
  },
})
await broker.start()
process.send({ port: gateway.server.address().port })
