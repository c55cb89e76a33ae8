import { createServer } from "node:http"
import express from "express"
import { serverSettings } from "trestle"
import { app, userOf } from "./app.ts"

const host = express()
host.use((request, _response, next) => {
  Object.assign(request, { user: userOf(request.headers.authorization) })
  next()
})

const running = await app.start()
host.use("/api", running.handler())

host.get("/", (_request, response) => void response.send("the host's own page"))
const server = createServer(serverSettings, host).listen(Number(process.env.PORT ?? 4000))
server.once("listening", () => console.info(JSON.stringify({ port: (server.address() as { port: number }).port })))
process.once("SIGTERM", () => server.close(() => running.close()))
