/** W1: one GET of about 300 bytes, passed through to an HTTP service. */
import { difference, withUpstream } from "../harness/careful-upstream.ts"
import { jsonResponse } from "../harness/fast-upstream.ts"
import type { HttpWorkload } from "../workloads.ts"

const file = (name: string) => new URL(`./${name}.ts`, import.meta.url).pathname

/** Four-digit ids keep every answer equally long. */
function item(id: string) {
  return {
    id,
    name: "Wall bracket, galvanised, 120 mm",
    description: "Carries up to 45 kg when fixed to masonry with two anchors; not for plasterboard.",
    priceCents: 1290,
    currency: "EUR",
    inStock: true,
    tags: ["hardware", "bracket", "steel"],
    updatedAt: "2026-11-02T09:30:00Z",
    rating: 4.5,
    reviews: 182,
  }
}

const ids = Array.from({ length: 64 }, (_, at) => String(1000 + at * 37))
const answers = new Map(ids.map((id) => [`GET /items/${id} HTTP/1.1`, jsonResponse("200 OK", JSON.stringify(item(id)))]))
const missing = jsonResponse("404 Not Found", '{"error":"no such item"}')

export const w1: HttpWorkload = {
  title: "W1 pass-through: GET /items/{id}, about 300 bytes of JSON from an HTTP service",
  subjects: [
    { name: "node:http + undici request (reference)", file: file("raw-request"), reference: true },
    { name: "node:http + undici dispatch", file: file("raw-dispatch") },
    { name: "Fastify 5 + undici request, piped", file: file("fastify-undici-piped") },
    { name: "Fastify 5 + undici request, read", file: file("fastify-undici") },
    { name: "@fastify/http-proxy", file: file("fastify-http-proxy") },
    { name: "Hono + fetch", file: file("hono-fetch") },
    { name: "express + http-proxy-middleware", file: file("express-proxy") },
    { name: "Moleculer + undici", file: file("moleculer") },
    { name: "trestle", file: file("trestle"), nodeArgs: ["--conditions=trestle-source"] },
  ],
  answer: (requestLine) => answers.get(requestLine) ?? missing,
  requests: () => ids.map((id) => `GET /items/${id} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n\r\n`),
  verify: (_subject, start) =>
    withUpstream(replyCarefully, async (upstream) => {
      const { port } = await start(upstream)
      const wrong: string[] = []
      for (const id of ["1000", "2333"]) {
        const response = await fetch(`http://127.0.0.1:${port}/items/${id}`)
        difference(wrong, `status of item ${id}`, response.status, 200)
        difference(wrong, `type of item ${id}`, response.headers.get("content-type")?.split(";")[0], "application/json")
        difference(wrong, `body of item ${id}`, await response.json().catch(() => null), item(id))
      }
      const none = await fetch(`http://127.0.0.1:${port}/items/0`)
      difference(wrong, "status of a missing item", none.status, 404)
      return wrong
    }),
}

function replyCarefully(request: { url: string }) {
  const id = /^\/items\/(\d+)$/.exec(request.url)?.[1]
  return id && id !== "0" ? { status: 200, body: item(id) } : { status: 404, body: { error: "no such item" } }
}
