// Declarations that would answer what no client can read, and what the document says of refusals.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { describe as described, documentOf } from "../../src/assembly/describe.ts"
import { anyone, apiKeys, authenticator, code, nothing, op, trestle } from "../../src/index.ts"

const findingsOf = (status: number, output: typeof nothing | z.ZodString): string[] =>
  trestle({
    name: "status",
    ops: {
      it: op({ http: "POST /it", input: z.object({}), output: output as never, allow: anyone("a test"), status }).via(
        code(() => "" as never),
      ),
    },
  })
    .check()
    .map((finding) => finding.code)

describe("status of a success", () => {
  test("nothing with 202, 205, 200 → a finding; with 204 → none", () => {
    for (const status of [200, 202, 205]) expect(findingsOf(status, nothing)).toEqual(["TRS1012"])
    expect(findingsOf(204, nothing)).toEqual([])
  })
  test("an output with 204 or 205 → a finding; with 202 → none", () => {
    for (const status of [204, 205]) expect(findingsOf(status, z.string())).toEqual(["TRS1012"])
    expect(findingsOf(202, z.string())).toEqual([])
  })
  for (const status of [0, 99, 199, 302, 404, 500, 200.5, Number.NaN])
    test(`${status} → a finding`, () => expect(findingsOf(status, z.string())).toEqual(["TRS1012"]))
})

describe("document of a public operation with a body", () => {
  const codesOf = (authenticate: Parameters<typeof trestle>[0]["authenticate"]): string[] => {
    const it = op({ http: "POST /it", input: z.object({ a: z.string() }), output: z.string(), allow: anyone("a test") }).via(code(() => ""))
    const options = { name: "doc", ops: { it }, ...(authenticate ? { authenticate } : {}) }
    const document = documentOf(options, described(trestle(options)).operations)
    return Object.keys((document.paths["/it"]!.post as { responses: object }).responses)
  }
  test("408 → always; 401 → where any authenticator looks, documented or not", () => {
    expect(codesOf(undefined)).toContain("408")
    expect(codesOf(undefined)).not.toContain("401")
    expect(codesOf([apiKeys()])).toContain("401")
    expect(codesOf([authenticator("badge", () => null)])).toContain("401")
  })
})
