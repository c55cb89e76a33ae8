import { serve } from "@hono/node-server"
import { Hono } from "hono"

const app = new Hono()
app.get("/items/:id", async (c) => {
  const answer = await fetch(`${process.env.UPSTREAM}/items/${encodeURIComponent(c.req.param("id"))}`)
  return new Response(answer.body, { status: answer.status, headers: { "content-type": "application/json" } })
})
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => process.send({ port }))
