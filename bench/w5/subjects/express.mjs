import express from "express"
import { Pool } from "undici"

const pool = new Pool(process.env.UPSTREAM)
const app = express()
app.get("/items/:id", async (request, response) => {
  const answer = await pool.request({ path: `/items/${encodeURIComponent(request.params.id)}`, method: "GET" })
  response
    .status(answer.statusCode)
    .type("json")
    .send(await answer.body.text())
})
const server = app.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }))
