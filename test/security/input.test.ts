// What may stand in a body, a query and a path, and what must not: over a real socket.
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { expectHealthy, expectProblem, only } from "./kit/expectations.ts"
import { post, raw, request } from "./kit/raw.ts"
import { openWorld, ran, type World } from "./kit/world.ts"

let w: World
let K: Record<string, string>
beforeAll(async () => {
  w = await openWorld()
  K = { "x-api-key": w.key }
})
afterAll(async () => {
  await expectHealthy(w)
  await w.close()
})

/** One request that is refused with this status, without its operation having run. */
const refused = (name: string, bytes: () => string | Buffer, status: number, issue?: { path: string; message: RegExp }): void =>
  test(`${name} → ${status}`, async () => {
    ran.length = 0
    const problem = expectProblem(only(await raw(w.port, bytes(), { answers: 1 })), status)
    if (issue) expect(problem.issues).toContainEqual({ path: issue.path, message: expect.stringMatching(issue.message) })
    expect(ran).toEqual([])
  })
const things = (text: string, headers: Record<string, string> = {}): string => post("/things", text, { ...K, ...headers })
const bytesOf = (...parts: (string | number[])[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  return Buffer.concat([
    Buffer.from(request("POST /things", { ...K, "content-type": "application/json", "content-length": body.length })),
    body,
  ])
}

describe("body: JSON that is none", () => {
  refused("text", () => things("{nope"), 400, { path: "", message: /not valid JSON/ })
  refused("cut off", () => things('{"name":"a"'), 400, { path: "", message: /ends too early|not valid/ })
  refused("two values", () => things('{"name":"a"}{"name":"b"}'), 400)
  refused("NaN", () => things('{"name":NaN}'), 400)
  refused("comments", () => things('{"name":"a"/**/}'), 400)
  refused("byte order mark", () => bytesOf([0xef, 0xbb, 0xbf], '{"name":"a"}'), 400)
  refused("bytes that are no UTF-8", () => bytesOf('{"name":"', [0xff, 0xfe], '"}'), 400, { path: "", message: /not UTF-8/ })
  refused("UTF-8 in two bytes too many", () => bytesOf('{"name":"', [0xc0, 0xae], '"}'), 400, { path: "", message: /not UTF-8/ })
  refused("UTF-16", () => bytesOf([...Buffer.from('{"name":"a"}', "utf16le")]), 400)
  refused("empty", () => post("/things", "", K), 400, { path: "name", message: /string/ })
  refused("a NUL", () => bytesOf('{"name":"a', [0], '"}'), 400)
})

describe("body: JSON that does not fit", () => {
  for (const text of ["null", "[]", '"x"', "1", "true"]) refused(`${text} instead of an object`, () => things(text), 400)
  refused("wrong type", () => things('{"name":1}'), 400, { path: "name", message: /string/ })
  refused("an object for a text", () => things('{"name":{"$gt":""}}'), 400, { path: "name", message: /string/ })
  refused("unknown field", () => things('{"name":"a","isAdmin":true}'), 400, { path: "isAdmin", message: /unknown/ })
  refused("unknown field, nested", () => things('{"name":"a","at":{"city":"b","zip":"1"}}'), 400, { path: "at.zip", message: /unknown/ })
  refused("unknown field, in an array", () => things('{"name":"a","tags":[{"word":"b"},{"word":"c","x":1}]}'), 400, {
    path: "tags.1.x",
    message: /unknown/,
  })
  refused("missing", () => things("{}"), 400, { path: "name", message: /string/ })
  test("the value → is not in the answer, nor in the log", async () => {
    const answer = only(await raw(w.port, things('{"name":{"x":"hunter2-value"}}'), { answers: 1 }))
    expect(answer.body).not.toContain("hunter2")
    expect(w.log()).not.toContain("hunter2")
  })
  test("a thousand unknown fields → 50 issues at most", async () => {
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, 1]))
    const problem = expectProblem(only(await raw(w.port, things(JSON.stringify(fields)), { answers: 1 })), 400)
    expect(problem.issues.length).toBeLessThanOrEqual(60)
  })
  test("a key twice → the last one counts, for the check and for the work alike", async () => {
    expectProblem(only(await raw(w.port, things('{"name":"a","name":1}'), { answers: 1 })), 400)
    const answer = only(await raw(w.port, things('{"name":1,"name":"b"}'), { answers: 1 }))
    expect(JSON.parse(answer.body)).toEqual({ name: "b" })
  })
  test("nothing declared: null and no body → taken; a value → refused", async () => {
    expect(only(await raw(w.port, post("/poke", "null"), { answers: 1 })).status).toBe(204)
    expect(only(await raw(w.port, request("POST /poke"), { answers: 1 })).status).toBe(204)
    expectProblem(only(await raw(w.port, post("/poke", '{"a":1}'), { answers: 1 })), 400)
  })
})

describe("prototypes", () => {
  for (const text of ['{"name":"a","__proto__":{"isAdmin":true}}', '{"name":"a","at":{"city":"b","\\u005f_proto__":{}}}'])
    refused(`body ${text}`, () => things(text), 400, { path: "", message: /__proto__/ })
  refused("body constructor.prototype", () => things('{"name":"a","constructor":{"prototype":{"isAdmin":true}}}'), 400)
  refused("z.record: __proto__", () => post("/record", '{"__proto__":{"isAdmin":true}}'), 400)
  refused("z.record: constructor.prototype", () => post("/record", '{"a":{"constructor":{"prototype":{"isAdmin":true}}}}'), 400)
  for (const query of ["__proto__=1", "__proto__[isAdmin]=true", "constructor=1", "constructor[prototype][isAdmin]=1", "%5f_proto__=1"])
    refused(`query ${query}`, () => request(`GET /search?${query}`), 400)
  test("path __proto__ and constructor → values like any other; rpc finds no operation in them", async () => {
    for (const id of ["__proto__", "constructor"])
      expect(JSON.parse(only(await raw(w.port, request(`GET /things/${id}`, K), { answers: 1 })).body)).toEqual({ id })
    for (const path of ["__proto__", "constructor", "toString", "things.__proto__", "things"])
      expectProblem(only(await raw(w.port, post(`/rpc/${path}`, "{}"), { answers: 1 })), 404)
  })
  test("afterwards → no object has a field that it did not have", () => expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined())
  test("rpc: an internal operation → 404 like one that is not there", async () => {
    const [inside, none] = await Promise.all(
      ["inside.loadThing", "inside.nothing"].map(async (path) => only(await raw(w.port, post(`/rpc/${path}`, "{}", K), { answers: 1 }))),
    )
    expect({ ...expectProblem(inside!, 404), trace: "" }).toEqual({ ...expectProblem(none!, 404), trace: "" })
  })
})

describe("type and coding of the body", () => {
  const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ";;;", "application/jsonx", "a/b"]
  for (const type of [...types, "application/json; charset=utf-16", "application/json; charset=latin1", "application/json, text/plain"])
    refused(`content-type ${type}`, () => things('{"name":"a"}', { "content-type": type }), 415)
  refused("no content-type", () => request("POST /things", { ...K, "content-length": 12 }, '{"name":"a"}'), 415)
  refused("a content-type of 8 kB", () => things("{}", { "content-type": `application/json;${" ".repeat(8_000)}x` }), 415)
  for (const type of ["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"', "application/x.y+json"])
    test(`content-type ${type} → taken`, async () =>
      expect(only(await raw(w.port, things('{"name":"a"}', { "content-type": type }), { answers: 1 })).status).toBe(201))
  for (const coding of ["gzip", "br", "deflate", "gzip, gzip", "x"])
    refused(`content-encoding ${coding}`, () => things("{}", { "content-encoding": coding }), 415)
  test("a gzip bomb → refused by its head, nothing unpacked", async () => {
    const before = process.memoryUsage().rss
    const { gzipSync } = await import("node:zlib")
    const bomb = gzipSync(Buffer.alloc(50_000_000, "a"))
    const head = request("POST /things", {
      ...K,
      "content-type": "application/json",
      "content-encoding": "gzip",
      "content-length": bomb.length,
    })
    expectProblem(only(await raw(w.port, Buffer.concat([Buffer.from(head), bomb]), { answers: 1 })), 415)
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000)
  })
  refused("a body with GET", () => request("GET /open", { "content-type": "application/json", "content-length": 2 }, "{}"), 400)
  refused(
    "a body with DELETE",
    () => request("DELETE /things/1", { ...K, "content-type": "application/json", "content-length": 2 }, "{}"),
    400,
  )
})

describe("path", () => {
  for (const path of ["/things/%zz", "/things/%", "/things/%ff", "/things/%c0%ae", "/things/%e0%80"])
    refused(`bad percent-encoding ${path}`, () => request(`GET ${path}`, K), 400)
  const decoded: [string, string][] = [
    ["%00", "\0"],
    ["%2e%2e", ".."],
    ["..", ".."],
    ["%2F", "/"],
    ["a%2F..%2Fb", "a/../b"],
    ["%252e", "%2e"],
    ["%0d%0ax:%20y", "\r\nx: y"],
    ["%1b%5b2J", "\u001b[2J"],
    ["%E2%80%AE", "\u202e"],
    ["a;b=c", "a;b=c"],
  ]
  for (const [given, id] of decoded)
    test(`parameter ${given} → one value, decoded once`, async () =>
      expect(JSON.parse(only(await raw(w.port, request(`GET /things/${given}`, K), { answers: 1 })).body)).toEqual({ id }))
  test("control characters → stand nowhere raw in the log", async () => {
    await raw(w.port, request("GET /fail/%0a%1b%5b2J%00", K), { answers: 1 })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(w.log()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u2028]/)
  })
  for (const path of ["/things/a/b", "/things//", "//things/1", "/THINGS/1", "/things/../open", "/./open", "*", "/things/1/", "/nope"])
    refused(`${path}: no such route`, () => request(`GET ${path}`, K), 404)
  refused("a parameter of 600 characters", () => request(`GET /things/${"x".repeat(600)}`, K), 404)
  refused("a parameter of 600 encoded characters", () => request(`GET /things/${"%41".repeat(600)}`, K), 404)
  refused("a path of 20 kB", () => request(`GET /things/${"x".repeat(20_000)}`, K), 431)
  test("the same id in path and body → taken; another → refused, and nothing done", async () => {
    const put = (text: string): string => post("/things/7", text, K).replace("POST", "PUT")
    expect(JSON.parse(only(await raw(w.port, put('{"id":"7","name":"a"}'), { answers: 1 })).body)).toEqual({ id: "7", name: "a" })
    expect(JSON.parse(only(await raw(w.port, put('{"name":"a"}'), { answers: 1 })).body)).toEqual({ id: "7", name: "a" })
    ran.length = 0
    for (const id of ['"8"', "7", "null", '["7"]']) {
      const problem = expectProblem(only(await raw(w.port, put(`{"id":${id},"name":"a"}`), { answers: 1 })), 400)
      expect(problem.issues[0]).toEqual({ path: "id", message: "differs from the value in the path" })
    }
    expect(ran).toEqual([])
  })
})

describe("query", () => {
  refused("a single value given twice", () => request("GET /search?page=1&page=2"), 400, { path: "page", message: /number|int/ })
  refused("unknown field", () => request("GET /search?sort=x"), 400, { path: "sort", message: /unknown/ })
  refused("the path's field again", () => request("GET /things/1?id=2", K), 400, { path: "id", message: /is in the path/ })
  refused("fields beside a body", () => post("/things?name=b", '{"name":"a"}', K), 400, { path: "name", message: /query/ })
  for (const page of ["1e999", "0x10", "%201", "Infinity", "9007199254740993", "1;2", ""])
    refused(`page=${page} is no whole number`, () => request(`GET /search?page=${page}`), 400)
  test("a list given once and several times → a list", async () => {
    const answers = await raw(w.port, request("GET /search?tag=a") + request("GET /search?tag=a&tag=b"), { answers: 2 })
    expect(answers.answers.map(({ body }) => JSON.parse(body).tag)).toEqual([["a"], ["a", "b"]])
  })
  test("bad percent-encoding → text as it was, never a failure of ours", async () => {
    const { status } = only(await raw(w.port, request("GET /search?q=%zz%ff"), { answers: 1 }))
    expect([200, 400]).toContain(status)
  })
  test("three thousand fields → refused at once", async () => {
    const exchange = await raw(w.port, request(`GET /search?${Array.from({ length: 3_000 }, (_, i) => `${i}=`).join("&")}`), { answers: 1 })
    expect(only(exchange).status).toBeGreaterThanOrEqual(400)
    expect(exchange.ms).toBeLessThan(1_000)
  })
})
