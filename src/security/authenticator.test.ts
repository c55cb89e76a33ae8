import { expect, test } from "vitest"
import type { RequestHead } from "../contract/principal.ts"
import { openAuthentication } from "./authentication.ts"
import { authenticator } from "./authenticator.ts"

const HOST = { now: () => 0, folder: "/nowhere", revoked: () => {}, watch: () => {} }
const head = (headers: RequestHead["headers"]): RequestHead => ({ method: "GET", path: "/", headers, address: "127.0.0.1" })

test("authenticator: opened → the given function itself", () => {
  const verify = () => null
  expect(authenticator("badge", verify).open(HOST)).toBe(verify)
})
test("authenticator: with and without scheme → shown or absent", () => {
  const scheme = { type: "apiKey", in: "header", name: "X-Badge" }
  expect(authenticator("badge", () => null, { scheme })).toMatchObject({ kind: "badge", scheme })
  expect(authenticator("badge", () => null)).not.toHaveProperty("scheme")
})
test("example of the docstring: right, wrong and no badge → principal, bad, null", async () => {
  const people: Record<string, { id: string; roles: string[] }> = { b1: { id: "ann", roles: ["guard"] } }
  const personOfBadge = async (badge: string) => people[badge]
  const badges = authenticator("badge", async ({ headers }) => {
    const badge = headers["x-badge"]
    if (badge === undefined) return null
    const person = await personOfBadge(badge)
    return person ? { id: person.id, kind: "user", roles: person.roles } : "bad"
  })
  const verify = await openAuthentication([badges], HOST)
  expect(await verify(head({ "x-badge": "b1" }))).toEqual({ id: "ann", kind: "user", roles: ["guard"] })
  expect(await verify(head({ "x-badge": "b2" }))).toBe("bad")
  expect(await verify(head({}))).toBeNull()
})
