import { CATALOG, isCatalogCode } from "../errors/catalog.ts"
import { PROBLEM_MEDIA_TYPE } from "../errors/problem.ts"
import { broken } from "./case-subject.ts"

interface Expected {
  /** The catalogue's status is expected. */
  readonly code: string
  /** Some issue must be at that field, or in it. */
  readonly naming?: string
}

/** Source: RFC 9457. Every error has this shape, whatever went wrong. */
export async function expectProblem(response: Response, { code, naming }: Expected): Promise<Record<string, any>> {
  const text = await response.text()
  const status = isCatalogCode(code) ? CATALOG[code].status : 0
  if (response.status !== status) broken(`expected ${status} (${code}), got ${response.status}: ${text.slice(0, 300)}`)
  const type = response.headers.get("content-type") ?? ""
  if (type.split(";")[0] !== PROBLEM_MEDIA_TYPE) broken(`an error must be sent as ${PROBLEM_MEDIA_TYPE}, not as "${type}"`)
  const problem = JSON.parse(text) as Record<string, any>
  for (const name of ["type", "title", "code", "detail", "trace"])
    if (typeof problem[name] !== "string" || problem[name] === "") broken(`the problem has no "${name}": ${text}`)
  if (problem.code !== code) broken(`expected the code ${code}, got ${problem.code}`)
  if (problem.status !== status) broken(`the problem says status ${problem.status}, the response ${status}`)
  if (problem.trace !== response.headers.get("x-request-id")) broken("the problem's trace is not the response's x-request-id")
  if (naming !== undefined) expectIssueAt(problem, naming)
  return problem
}

function expectIssueAt(problem: Record<string, any>, field: string): void {
  const issues: { path: string; message: string }[] = problem.issues ?? []
  if (issues.some(({ path }) => path === field || path.startsWith(`${field}.`))) return
  broken(`no issue names "${field}"; the issues are ${JSON.stringify(issues)}`)
}

/** A success with its own status, and with this value as its body; `undefined` for none. */
export async function expectSuccess(response: Response, status: number, body: { readonly value: unknown } | null): Promise<void> {
  const text = await response.text()
  if (response.status !== status) broken(`expected ${status}, got ${response.status}: ${text.slice(0, 500)}`)
  if (status === 204) {
    if (text !== "") broken("a 204 must have no body")
    return
  }
  const type = response.headers.get("content-type") ?? ""
  if (!type.startsWith("application/json")) broken(`expected application/json, got "${type}"`)
  const wanted = body && (JSON.stringify(body.value) ?? "")
  if (wanted !== null && text !== wanted) broken(`expected the answer ${wanted}, got ${text.slice(0, 500)}`)
}
