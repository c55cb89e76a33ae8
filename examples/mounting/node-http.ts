import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { serverSettings } from "trestle"
import { app, userOf } from "./app.ts"

const running = await app.start()
const api = running.handler({ prefix: "/api" })

const server = createServer(serverSettings, (request: IncomingMessage, response: ServerResponse) => {
  Object.assign(request, { user: userOf(request.headers.authorization) })
  api(request, response, () => (request.url === "/" ? response.end("the host's own page") : response.writeHead(404).end()))
})
server.listen(Number(process.env.PORT ?? 4000))
server.once("listening", () => console.info(JSON.stringify({ port: (server.address() as { port: number }).port })))
process.once("SIGTERM", () => server.close(() => running.close()))
