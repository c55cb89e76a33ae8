/** node:http and undici's `dispatch`: the cheapest public door of undici. */
import { createServer, type ServerResponse } from "node:http"
import { type Dispatcher, Pool } from "undici"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"

const pool = new Pool(upstream, { connections: CONNECTIONS })

class Forward implements Dispatcher.DispatchHandler {
  res: ServerResponse
  constructor(res: ServerResponse) {
    this.res = res
  }
  onRequestStart() {}
  onResponseStart(_controller: unknown, status: number, headers: Record<string, string | string[] | undefined>) {
    const { "content-type": type, "content-length": length } = headers as { "content-type": string; "content-length": string }
    this.res.writeHead(status, { "content-type": type, "content-length": length })
  }
  onResponseData(_controller: unknown, chunk: Buffer) {
    this.res.write(chunk)
  }
  onResponseEnd() {
    this.res.end()
  }
  onResponseError() {
    if (this.res.headersSent) this.res.destroy()
    else this.res.writeHead(502).end()
  }
}

const server = createServer((req, res) => pool.dispatch({ path: req.url!, method: "GET" }, new Forward(res)))
server.listen(0, "127.0.0.1", readyOn(server))
