import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { folder, json, serve, trestle } from "./kit.ts"

const APP = `import { anyone, code, fallback, op, placeholder, rest, trestle, value } from "trestle"
import { z } from "zod"
const open = { input: z.object({}), output: z.object({ n: z.number() }), allow: anyone("t") }
const gone = rest({ url: "http://127.0.0.1:1", name: "gone", policy: { retry: 0 } })
const stubbed = placeholder({ n: 1 }, { why: "waiting", allowInProduction: "agreed" })
const good = op({ http: "GET /good", ...open, was: ["fine"] }).via(code(() => ({ n: 1 })))
const second = op({ http: "GET /second", ...open }).via(fallback(gone.call("GET /"), value({ n: 2 })))
const behind = op({ http: "GET /behind", ...open }).via(fallback(gone.call("GET /"), stubbed))
const stub = op({ http: "GET /stub", ...open }).via(stubbed)
const never = op({ http: "GET /never", ...open }).via(code(() => ({ n: 1 })))
export const app = trestle({ name: "live", ops: { good, second, behind, stub, never } })
`
const PATHS = ["/good", "/second", "/behind", "/stub"]

async function served(env: Record<string, string>) {
  const cwd = folder({ "app.ts": APP })
  const { url, ended, stop } = await serve(cwd, { env })
  for (const path of PATHS) expect((await fetch(url + path)).status).toBe(200)
  stop("SIGTERM")
  expect(await ended).toMatchObject({ code: 0 })
  return cwd
}
const statesIn = async (cwd: string) =>
  Object.fromEntries(json(await trestle(["status", "--json"], { cwd })).operations.map((row: any) => [row.operation, row.state]))

test("production: what answered as its first choice is live, nothing else; a rename keeps it", async () => {
  const cwd = await served({ TRESTLE_ENV: "production" })
  expect(await statesIn(cwd)).toEqual({ good: "live", second: "wired", behind: "wired", stub: "placeholder", never: "wired" })
  expect(JSON.parse(readFileSync(join(cwd, ".trestle", "evidence.json"), "utf8")).operations).toEqual({
    good: {
      live: expect.objectContaining({ servedBy: "code", count: 1, backend: "code", contract: expect.stringMatching(/^[0-9a-f]{64}$/) }),
    },
  })
  const renamed = folder({
    "app.ts": APP.replace("ops: { good,", "ops: { fair: good,").replace('["fine"]', '["good"]'),
    ".trestle/evidence.json": readFileSync(join(cwd, ".trestle", "evidence.json"), "utf8"),
  })
  expect(await statesIn(renamed)).toMatchObject({ fair: "live" })
})

test("development: nobody real has called, nothing is kept", async () => {
  const cwd = await served({})
  expect(existsSync(join(cwd, ".trestle", "evidence.json"))).toBe(false)
})
