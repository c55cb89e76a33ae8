// An Express with every parser it has, each before the same application. A process of its own: under the conditions by which tests
// resolve modules, Express' parsers do not load as they do for users. Says its port, then the lines of the log.
import { createServer } from "node:http"
import express, { type RequestHandler } from "express"
import { parsed } from "./parsed-app.ts"

const PARSERS: Readonly<Record<string, RequestHandler[]>> = {
  "/json": [express.json()],
  "/json-and-form": [express.json(), express.urlencoded({ extended: true })],
  "/text": [express.text({ type: "*/*" })],
  "/raw": [express.raw({ type: "*/*" })],
  "/none": [],
  "/swallowed": [(request, _response, next) => void request.resume().once("end", () => next())],
}

const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`)
const running = await parsed.start({ log: { info: say, warn: say, error: say } })
const host = express()
for (const [path, parsers] of Object.entries(PARSERS)) host.use(path, ...parsers, running.handler())
const server = createServer(host).listen(0, "127.0.0.1", () => say(server.address() as object))
