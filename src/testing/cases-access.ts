import { isRuledByRoles, mayPass, strangerOf } from "./case-caller.ts"
import { expectProblem } from "./case-expect.ts"
import { prepare, send } from "./case-send.ts"
import { broken, type Subject } from "./case-subject.ts"
import type { PlannedCase } from "./contract-cases.ts"

/** Who may call: nobody without credentials, nobody without the role, nobody for somebody else's object. */
export function accessCases(subject: Subject): PlannedCase[] {
  const { operation } = subject
  if (!operation.route || operation.isPublic) return []
  const { owner } = operation.declaration.contract
  return [
    noCredentials,
    ...(isRuledByRoles(subject) ? [withoutRole] : []),
    ...(owner && owner.load !== subject.op ? [foreign, missing] : []),
  ]
}

const noCredentials: PlannedCase = {
  promise: "no credentials → 401",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    await expectProblem(await send(t, good, { as: null }), { code: "UNAUTHENTICATED" })
  },
}

const withoutRole: PlannedCase = {
  promise: "signed in without the role or permission → 403",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    await expectProblem(await send(t, good, { as: { id: "test-nobody", kind: "user" } }), { code: "FORBIDDEN" })
  },
}

const foreign: PlannedCase = {
  promise: "somebody else's object → 404",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    const stranger = strangerOf(good.principal!)
    const code = (await mayPass(subject, good.input, stranger)) ? "NOT_FOUND" : "FORBIDDEN"
    await expectProblem(await send(t, good, { as: stranger }), { code })
  },
}

const missing: PlannedCase = {
  promise: "an object that is not there → 404, not to be told from somebody else's",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    const stranger = strangerOf(good.principal!)
    const isLetIn = await mayPass(subject, good.input, stranger)
    const foreignProblem = isLetIn ? await expectProblem(await send(t, good, { as: stranger }), { code: "NOT_FOUND" }) : null
    t.backend(subject.operation.declaration.contract.owner!.load).replies((_input: unknown, ctx: { fail(code: "NOT_FOUND"): never }) =>
      ctx.fail("NOT_FOUND"),
    )
    const problem = await expectProblem(await send(t, good), { code: "NOT_FOUND" })
    if (foreignProblem && told(foreignProblem) !== told(problem)) broken(`the answers differ: ${told(foreignProblem)} and ${told(problem)}`)
  },
}

function told({ trace: _trace, ...problem }: Record<string, any>): string {
  return JSON.stringify(problem)
}
