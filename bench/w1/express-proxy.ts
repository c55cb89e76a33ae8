import { Agent } from "node:http"
// @ts-expect-error it ships no types
import express from "express"
import { createProxyMiddleware } from "http-proxy-middleware"
import { CONNECTIONS, readyOn, upstream } from "../harness/subject.ts"

const app = express()
app.disable("x-powered-by")
app.use(createProxyMiddleware({ target: upstream, pathFilter: "/items", agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS }) }))
const server = app.listen(0, "127.0.0.1", () => readyOn(server)())
