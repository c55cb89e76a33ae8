import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { ready, upstream } from "../harness/subject.ts"

const app = new Hono()
app.get("/items/:id", async (c) => {
  const answer = await fetch(`${upstream}/items/${encodeURIComponent(c.req.param("id"))}`)
  return new Response(answer.body, { status: answer.status, headers: { "content-type": answer.headers.get("content-type") ?? "" } })
})
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, (address) => ready({ port: address.port }))
