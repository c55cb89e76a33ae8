// Another system, in a process of its own: has an effect once for each key, and keeps every arrival in a file before it answers.
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"

const file = process.argv[2]!
const port = Number(process.argv[3])
/** Answers by key: what comes again is answered as before. */
const known = new Map<string, number>()
let troubleEvery = 0
let arrivals = 0
let pid = 0
let killAt = 0

if (existsSync(file))
  for (const line of readFileSync(file, "utf8").split("\n")) {
    // The last line may be torn: then it was never answered.
    if (!line.endsWith("}")) continue
    const { key, status } = JSON.parse(line)
    known.set(key, status)
  }

const server = createServer(async (request, response) => {
  const body = JSON.parse((await text(request)) || "{}")
  if (request.url === "/control") {
    troubleEvery = body.troubleEvery ?? troubleEvery
    pid = body.pid ?? pid
    killAt = body.killAfter ? arrivals + body.killAfter : killAt
    return void response.end("{}")
  }
  arrivals++
  // Declared to mean that nothing has happened.
  if (troubleEvery > 0 && arrivals % 7 === 3) {
    response.statusCode = 503
    return void response.end("{}")
  }
  const key = `${body.via} ${request.headers["idempotency-key"]}`
  // Some customers cannot pay; that is a real answer, the same each time.
  const status = known.get(key) ?? (body.via === "charge" && body.n % 5 === 0 ? 402 : 201)
  appendFileSync(
    file,
    `${JSON.stringify({ via: body.via, id: body.id, customer: body.customer, n: body.n, key, status, isFirst: !known.has(key) })}\n`,
  )
  known.set(key, status)
  if (killAt > 0 && arrivals >= killAt && pid > 0) {
    killAt = 0
    process.kill(pid, "SIGKILL")
  }
  // An effect whose answer is lost.
  if (troubleEvery > 0 && arrivals % troubleEvery === 0) return void request.socket.destroy()
  if (troubleEvery > 0 && arrivals % troubleEvery === 1) response.statusCode = 500
  else response.statusCode = status
  response.setHeader("content-type", "application/json")
  response.end("{}")
})
server.keepAliveTimeout = 60_000
server.listen(port, "127.0.0.1", () => process.send?.("listening"))

// Whoever started it is gone.
process.on("disconnect", () => process.exit())
