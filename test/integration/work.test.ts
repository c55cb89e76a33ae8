// Work that goes on after its call, seen by its caller: over a real server, by hand and with the client.
import { request } from "node:http"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { type ClientOptions, createClient } from "../../src/client/index.ts"
import { follower, type WorkProgress } from "../../src/client/work.ts"
import { anyone, authenticator, code, defer, fallback, flow, op, type Running, rest, role, trestle } from "../../src/index.ts"
import { rememberingLog, THROWAWAY } from "../../src/testing/stand-ins.ts"

const Id = z.object({ id: z.string() })
const Stored = z.object({ id: z.string(), state: z.string() })
/** Steps of flows wait here until a test lets them go on. */
const gates = new Map<string, PromiseWithResolvers<void>>()
const gate = (id: string): PromiseWithResolvers<void> => {
  if (!gates.has(id)) gates.set(id, Promise.withResolvers())
  return gates.get(id)!
}

const slow = op({ effect: "write", repeat: "natural", input: Id, output: Id, deadline: "1m" }).via(
  code((i) => gate(i.id).promise.then(() => i)),
)
const steps = flow<{ id: string }, { id: string; state: string }, "FULL">(async ({ id }, s) => {
  await s.run(slow, { id }, { name: "the slow one" })
  if (id.startsWith("full")) s.fail("FULL", "No room.")
  return { id, state: "there" }
})
const contract = { input: Id, output: Stored, errors: { FULL: 409 }, deadline: "1m" } as const
const mine = op({ http: "POST /mine", ...contract, allow: role("clerk"), anyObject: "a test", repeat: "key" }).via(steps)
const open = op({ http: "POST /open", ...contract, allow: anyone("a test"), anyObject: "a test" }).via(steps)
const gone = rest({ url: "http://127.0.0.1:9", name: "gone", policy: { retry: 0, breaker: false } })
const later = op({ http: "POST /later", input: Id, output: Stored, allow: anyone("a test"), anyObject: "a test" }).via(
  fallback(
    gone.call("POST /people", { repeat: { key: "Idempotency-Key" } }),
    defer(({ id }) => ({ id, state: "pending" })),
  ),
)
const app = trestle({
  name: "work",
  ops: { slow, mine, open, later },
  authenticate: [
    authenticator("test", ({ headers }) => {
      const who = headers.authorization?.replace("Bearer ", "")
      if (who === undefined) return null
      return who === "wrong" ? "bad" : { id: who, kind: "user", roles: ["clerk"] }
    }),
  ],
})

let running: Running<unknown>
let url: string
beforeAll(async () => {
  running = await startApp(app, { ...THROWAWAY, log: rememberingLog([]) })
  url = (await running.listen({ port: 0 })).url
})
afterAll(async () => {
  for (const { resolve } of gates.values()) resolve()
  await running.close()
})

const as = (who: string | null): Record<string, string> => (who === null ? {} : { authorization: `Bearer ${who}` })
const post = (path: string, id: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ id }) })
const look = (address: string, headers: Record<string, string> = {}): Promise<Response> => fetch(`${url}${address}`, { headers })
/** Begins a flow and does not wait for it. */
async function begun(path: string, id: string, who: string | null): Promise<string> {
  const answer = await post(path, id, { ...as(who), prefer: "respond-async" })
  expect([answer.status, answer.headers.get("preference-applied")]).toEqual([202, "respond-async"])
  return answer.headers.get("location")!
}

describe("a call whose work goes on", () => {
  test("with respond-async → 202 at once, a problem that says so, and where the work is seen", async () => {
    const answer = await post("/mine", "a1", { ...as("ada"), prefer: "respond-async" })
    const problem = (await answer.json()) as { work: string }
    expect(problem).toMatchObject({ code: "PENDING", status: 202, outcome: "unknown" })
    expect(answer.headers.get("location")).toBe(`/work/${problem.work}`)
    const seen = await look(`/work/${problem.work}`, as("ada"))
    expect(seen.headers.get("retry-after")).toBe("1")
    expect(await seen.json()).toMatchObject({
      id: problem.work,
      operation: "mine",
      state: "running",
      progress: { done: 0, step: "the slow one" },
    })
  })
  test("a write that is kept for later → 202 with its provisional answer", async () => {
    const answer = await post("/later", "a2")
    expect([answer.status, await answer.json()]).toEqual([202, { id: "a2", state: "pending" }])
    const seen = await (await look(answer.headers.get("location")!)).json()
    expect(seen).toMatchObject({ operation: "later", state: expect.stringMatching(/waiting|running/) })
    expect(JSON.stringify(seen)).not.toMatch(/127\.0\.0\.1|gone|input|history/)
  })
  test("asked for again under its key → 202 with the same work, one flow; then its answer", async () => {
    const headers = { ...as("ada"), prefer: "wait=0", "idempotency-key": '"k1"' }
    const [one, other] = [await post("/mine", "a3", headers), await post("/mine", "a3", headers)]
    expect([one.status, other.status, other.headers.get("location")]).toEqual([202, 202, one.headers.get("location")])
    gate("a3").resolve()
    const done = await look(one.headers.get("location")!, { ...as("ada"), prefer: "wait=20" })
    expect(await done.json()).toMatchObject({ state: "done", answer: { id: "a3", state: "there" } })
    const patient = await post("/mine", "a3", { ...headers, prefer: "wait=5" })
    expect([patient.status, await patient.json()]).toEqual([201, { id: "a3", state: "there" }])
  })
})

describe("the address of work", () => {
  test("for another caller, or without credentials → 404, as if it were not there", async () => {
    const address = await begun("/mine", "b1", "ada")
    expect([(await look(address, as("bob"))).status, (await look(address)).status]).toEqual([404, 404])
  })
  test("with a wrong credential → 401", async () => {
    const address = await begun("/open", "b2", null)
    expect((await look(address, as("wrong"))).status).toBe(401)
  })
  test("of a caller without credentials → whoever knows its id", async () => {
    const address = await begun("/open", "b3", null)
    expect((await look(address)).status).toBe(200)
    expect((await look(address, as("bob"))).status).toBe(200)
  })
  test.each(["nothing", "x1234567890123456789012345678901", "%00", "..%2fa", "0123456789abcdef0123456789abcdef"])(
    "of an id that there is not, %s → 404",
    async (id) => {
      expect((await look(`/work/${id}`, as("ada"))).status).toBe(404)
    },
  )
  test("of the application's own work → 404", async () => {
    const result = (await (running.internal() as any).open.safe({ id: "b4" }, { deadline: "1ms" })) as { work: string }
    expect((await look(`/work/${result.work}`)).status).toBe(404)
    expect(await running.work(result.work)).toMatchObject({ operation: "open", state: "running" })
  })
  test("work that has failed → failed, with the problem that its caller would have had", async () => {
    const address = await begun("/open", "full1", null)
    gate("full1").resolve()
    const seen = await (await look(address, { prefer: "wait=20" })).json()
    expect(seen).toMatchObject({ state: "failed", problem: { code: "FULL", status: 409, detail: "No room.", outcome: "answered" } })
    expect(seen).not.toHaveProperty("answer")
  })
  test("with POST → 404: there is nothing to do there", async () => {
    expect((await post("/work/0123456789abcdef0123456789abcdef", "x")).status).toBe(404)
  })
})

describe("the events of work", () => {
  /** The events as they come, as text, until the server ends them. */
  function events(
    address: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; type: string | undefined; text: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(`${url}${address}`, { headers: { accept: "text/event-stream", ...headers } }, (answer) => {
        let text = ""
        answer.setEncoding("utf8").on("data", (some: string) => {
          text += some
          if (some.includes('"running"')) gate(address).resolve()
        })
        answer.on("end", () => resolve({ status: answer.statusCode!, type: answer.headers["content-type"], text }))
      })
      asked.on("error", reject).end()
    })
  }

  test("→ one for each change, the last tells of the end, and whoever connects again is told to stop", async () => {
    const address = await begun("/open", "e1", null)
    void gate(address).promise.then(() => gate("e1").resolve())
    const { status, type, text } = await events(address)
    expect([status, type]).toEqual([200, "text/event-stream"])
    const all = text.split("\n\n").filter((one) => one.startsWith("event"))
    expect(all[0]).toMatch(/^event: running\ndata: \{/)
    expect(all.at(-1)).toMatch(/^event: done\nid: over\ndata: \{.*"answer":\{"id":"e1","state":"there"\}/)
    expect(await events(address, { "last-event-id": "over" })).toMatchObject({ status: 204, text: "" })
  })
  test("with HEAD → no stream", async () => {
    const address = await begun("/open", "e2", null)
    const answer = await fetch(`${url}${address}`, { method: "HEAD", headers: { accept: "text/event-stream" } })
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"])
  })
})

describe("the client", () => {
  const options = (): ClientOptions => ({ url, token: () => "ada" })
  /** Its calls do not wait for what goes on anyway. */
  const hasty: typeof fetch = (address, init) => fetch(address, { ...init, headers: { prefer: "respond-async", ...init?.headers } })
  test("follows a call to the end of its work, and hears how far it comes", async () => {
    const api = createClient<typeof app>({ ...options(), fetch: hasty })
    const followed = follower(options())
    const heard: WorkProgress[] = []
    const answer = await followed(
      api.mine,
      { id: "c1" },
      {
        onProgress: (progress) => {
          heard.push(progress)
          if (progress.step !== "") gate("c1").resolve()
        },
      },
    )
    expect(answer).toEqual({ id: "c1", state: "there" })
    expect(heard[0]).toEqual({ state: "running", done: 0, step: "the slow one" })
    expect(heard.at(-1)).toMatchObject({ state: "done" })
  })
  test("the work fails → its error", async () => {
    gate("full2").resolve()
    const api = createClient<typeof app>({ ...options(), fetch: hasty })
    await expect(follower(options())(api.mine, { id: "full2" })).rejects.toMatchObject({ code: "FULL", status: 409, outcome: "answered" })
  })
  test("a provisional answer → followed too, until `signal`", async () => {
    const api = createClient<typeof app>(options())
    const leaving = new AbortController()
    const following = follower(options())(api.later, { id: "c3" }, { signal: leaving.signal, onProgress: () => leaving.abort() })
    await expect(following).rejects.toMatchObject({ code: "CANCELLED", work: expect.any(String) })
  })
  test("a call that is answered at once → its answer, and nothing more is asked", async () => {
    gate("c4").resolve()
    const asked: string[] = []
    const noting: typeof fetch = (address, init) => {
      asked.push(String(address))
      return fetch(address, init)
    }
    const counting = { ...options(), fetch: noting }
    const api = createClient<typeof app>(counting)
    expect(await follower(counting)(api.mine, { id: "c4" })).toEqual({ id: "c4", state: "there" })
    expect(asked).toHaveLength(1)
  })
})
