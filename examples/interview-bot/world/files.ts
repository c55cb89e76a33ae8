import { once } from "node:events"
import { createReadStream, createWriteStream } from "node:fs"
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"

export type FilesOptions = { folder: string; token: string; port: number }
export type Files = { url: string; close: () => Promise<void> }

type About = { type: string; name: string }

const AHEAD_BYTES = 1_048_576

/** A store of files as one might buy it: whole files under a name, nothing under it before the last byte is there. */
export async function openFiles({ folder, token, port }: FilesOptions): Promise<Files> {
  await mkdir(folder, { recursive: true })
  const server = createServer((request, response) => {
    respond(folder, token, request, response).catch((error) => {
      // A client that has left hears nothing, and has left nothing behind.
      if (!request.socket.destroyed) console.error(error)
      response.destroy()
    })
  })
  // Its clients decide how long a file may take.
  server.requestTimeout = 0
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  const close = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

async function respond(folder: string, token: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = /^\/files\/([A-Za-z0-9-]{1,64})$/.exec(request.url ?? "")?.[1]
  if (request.headers.authorization !== `Bearer ${token}`) return answer(response, 401, { error: "A valid bearer token is needed." })
  if (name === undefined) return answer(response, 404, { error: "There is no such address." })
  const path = join(folder, name)
  if (request.method === "PUT") return put(path, request, response)
  if (request.method === "GET") return get(path, response)
  return answer(response, 405, { error: "A file is put and got." })
}

let uploads = 0

async function put(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const part = `${path}.part-${++uploads}`
  const about: About = {
    type: request.headers["content-type"] ?? "application/octet-stream",
    name: String(request.headers["file-name"] ?? "file"),
  }
  try {
    const file = createWriteStream(part, { highWaterMark: AHEAD_BYTES })
    await pipeline(request, file)
    await writeFile(`${path}.json`, JSON.stringify(about))
    await rename(part, path)
    answer(response, 201, { size: file.bytesWritten })
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

async function get(path: string, response: ServerResponse): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (!found) return answer(response, 404, { error: "There is no such file." })
  const { type, name }: About = JSON.parse(await readFile(`${path}.json`, "utf8"))
  response.writeHead(200, {
    "content-type": type,
    "content-length": found.size,
    "content-disposition": `attachment; filename*=UTF-8''${name}`,
  })
  await pipeline(createReadStream(path, { highWaterMark: AHEAD_BYTES }), response)
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", ...(status === 201 ? {} : { connection: "close" }) })
  response.end(JSON.stringify(body))
}
