import { describe, expect, test } from "vitest"
import { APP, APP_WITH_SECRET, finished, folder, json, startTrestle, trestle } from "./kit.ts"

const call = (args: readonly string[], options: { input?: string; env?: Record<string, string> } = {}) =>
  trestle(["call", ...args], { cwd: folder({ "app.ts": APP, "note.json": '{"text":"from a file"}' }), ...options })

describe("call, in process", () => {
  test("the answer on stdout and nothing else, one line of how it came on stderr", async () => {
    const { code, stdout, stderr } = await call(["notes.list"])
    expect({ code, stdout }).toEqual({ code: 0, stdout: "[]\n" })
    expect(stderr).toMatch(/^notes\.list answered by code, \d+ ms, trace [0-9a-f]{32}$/m)
    expect(stderr).toContain("noise of the call")
  })

  test.each([
    ["text", ['{"text":"typed"}'], "", "typed"],
    ["a file", ["@note.json"], "", "from a file"],
    ["stdin", ["-"], '{"text":"piped"}', "piped"],
  ])("input from %s", async (_, input, stdin, text) => {
    const ran = await call(["notes.create", ...input], { input: stdin })
    expect(json(ran)).toEqual({ id: "1", text })
  })

  test("no answer to print: empty stdout", async () => {
    expect(await call(["notes.clear"])).toMatchObject({ code: 0, stdout: "" })
  })

  test("--json: the answer with its story", async () => {
    const ran = await call(["notes.list", "--json"])
    expect(json(ran)).toMatchObject({
      schema: "trestle.call/1",
      ok: true,
      findings: [],
      value: [],
      summary: { operation: "notes.list", servedBy: "code", degraded: false },
    })
  })

  test.each([
    ["its own error", ["notes.create", '{"text":"full"}'], 6, "FULL: no room left"],
    ["an input that does not fit", ["notes.create", '{"txt":"hi"}'], 2, "text: "],
    ["a backend that is not there", ["far.show"], 4, "UNAVAILABLE"],
    ["somebody without the role", ["notes.create", '{"text":"hi"}', "--as", '{"id":"bob","kind":"user"}'], 5, "FORBIDDEN"],
    ["an unknown operation", ["notes.crate"], 2, 'Did you mean "notes.create"?'],
    ["input that is no JSON", ["notes.create", "{text:hi}"], 2, "not valid JSON"],
    ["a file that is not there", ["notes.create", "@no.json"], 2, "ENOENT"],
    ["a principal that is none", ["notes.list", "--as", '{"name":"bob"}'], 2, "--as is not a principal"],
    ["an internal operation for somebody", ["notes.clear", "--as", '{"id":"bob","kind":"user"}'], 2, "notes.clear is internal"],
    ["--key without --url", ["notes.list", "--key", "K"], 2, "--url"],
    ["a deadline that is none", ["notes.list", "--deadline", "soon"], 2, '"soon"'],
    ["a deadline that is over", ["notes.slow", "--deadline", "50ms"], 4, "TIMEOUT"],
  ])("%s: %j exits %i", async (_, args, exit, said) => {
    const { code, stdout, stderr } = await call(args)
    expect({ code, stdout }).toEqual({ code: exit, stdout: "" })
    expect(stderr).toContain(said)
  })

  test("--as somebody who may", async () => {
    const ran = await call(["notes.create", '{"text":"hi"}', "--as", '{"id":"ada","kind":"user","roles":["writer"]}'])
    expect(json(ran)).toEqual({ id: "1", text: "hi" })
  })

  test("--json of a failure keeps code, outcome and issues", async () => {
    const ran = await call(["notes.create", "{}", "--json"])
    expect(json(ran)).toMatchObject({
      ok: false,
      findings: [{ code: "TRS3006" }],
      error: { code: "INVALID", outcome: "refused", issues: [{ path: "text" }] },
    })
  })

  test("an unset secret: exit 3 with the finding", async () => {
    const { code, stderr } = await trestle(["call", "show"], { cwd: folder({ "app.ts": APP_WITH_SECRET }) })
    expect(code).toBe(3)
    expect(stderr).toContain("error[TRS2002]")
    expect(stderr).toContain("CRM_TOKEN")
  })

  test("SIGINT gives the call up and exits 130", async () => {
    const child = startTrestle(["call", "notes.slow", "--deadline", "9s"], { cwd: folder({ "app.ts": APP }) })
    const ended = finished(child)
    await new Promise<void>((resolve) =>
      child.stderr!.on("data", (text) => {
        if (String(text).includes("slow has begun")) resolve()
      }),
    )
    child.kill("SIGINT")
    expect(await ended).toMatchObject({ code: 130, stdout: "" })
  })
})
