import { JSON_DEPTH_MAX } from "../base/json.ts"
import { expectProblem } from "./case-expect.ts"
import { prepare, send } from "./case-send.ts"
import { broken, type Subject, takesBody } from "./case-subject.ts"
import type { PlannedCase } from "./contract-cases.ts"

/** What the entrance refuses before it looks at any field. */
export function entranceCases(subject: Subject): PlannedCase[] {
  return [...(takesBody(subject) ? [tooLarge, tooDeep, wrongContentType] : []), wrongMethod]
}

const tooLarge: PlannedCase = {
  promise: "a body above the limit → 413",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    await expectProblem(await send(t, good, { text: `{"x":"${"x".repeat(subject.bodyBytesMax)}"}` }), { code: "TOO_LARGE" })
  },
}

const tooDeep: PlannedCase = {
  promise: "a body nested too deep → 400",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    const depth = JSON_DEPTH_MAX + 1
    await expectProblem(await send(t, good, { text: "[".repeat(depth) + "]".repeat(depth) }), { code: "INVALID" })
  },
}

const wrongContentType: PlannedCase = {
  promise: "a body that is not JSON → 415",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    await expectProblem(
      await send(t, good, { headers: { "content-type": "text/plain" }, text: JSON.stringify(good.request.body) ?? "{}" }),
      { code: "UNSUPPORTED_MEDIA_TYPE" },
    )
  },
}

const wrongMethod: PlannedCase = {
  promise: "another method → 405 that names the right ones",
  see: async (t, subject) => {
    const { request } = await prepare(t, subject)
    const taken = subject.all.flatMap(({ operation }) =>
      operation.route && fits(operation.route.pattern, request.path) ? [operation.route.verb as string] : [],
    )
    const method = ["DELETE", "PATCH", "PUT", "POST", "GET"].find((verb) => !taken.includes(verb)) ?? "OPTIONS"
    const response = await t.http(`${method} ${request.path}`)
    if (!response.headers.get("allow")?.includes(request.method))
      broken(`Allow does not name ${request.method}: ${response.status} ${response.headers.get("allow")}`)
    await expectProblem(response, { code: "METHOD_NOT_ALLOWED" })
  },
}

function fits(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split("/"), path.split("/")]
  return wanted.length === given.length && wanted.every((segment, i) => segment.startsWith("{") || segment === given[i])
}
