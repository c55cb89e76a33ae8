import { parseDuration, whyNoDuration } from "../base/duration.ts"
import type { Finding } from "../contract/finding.ts"
import type { Declaration } from "../contract/op.ts"
import { nothing } from "../contract/schema.ts"
import { COMMON } from "../errors/catalog.ts"
import { finding } from "./findings.ts"
import { type Named, rulesOf } from "./operations.ts"

export function checkContract({ path, declaration }: Named, findings: Finding[]): void {
  const { contract, at, backend } = declaration
  if (contract.http !== undefined && rulesOf(contract.allow).length === 0) {
    findings.push(
      finding(
        "TRS1002",
        at,
        `${path} has an http entrance and nobody may call it`,
        'allow: role("recruiter"),   or, for everybody:   allow: anyone("public careers page"),',
      ),
    )
  }
  if (contract.http === undefined && contract.effect === undefined) {
    findings.push(finding("TRS1006", at, `${path} does not say whether it changes anything`, 'effect: "read",   or   effect: "write",'))
  }
  if (backend === null && !contract.examples?.length) {
    findings.push(
      finding(
        "TRS1016",
        at,
        `${path} has no backend and no examples`,
        '.via(placeholder({ ... }, "waiting for ..."))   or   examples: [{ input: { ... }, output: { ... } }],',
      ),
    )
  }
  if (contract.deadline !== undefined && parseDuration(contract.deadline) === null) {
    findings.push(finding("TRS1012", at, `${path}: deadline ${whyNoDuration(contract.deadline, "3s")}`, 'deadline: "3s",'))
  }
  if (contract.status !== undefined) checkStatus(path, declaration, findings)
  checkErrors(path, declaration, findings)
}

function checkErrors(path: string, { contract, at }: Declaration, findings: Finding[]): void {
  for (const [code, status] of Object.entries(contract.errors ?? {})) {
    if (!/^[A-Z][A-Z0-9_]*$/.test(code))
      findings.push(finding("TRS1012", at, `${path}: error code "${code}" is not in capitals`, "errors: { EMAIL_TAKEN: 409 },"))
    if (Object.hasOwn(COMMON, code))
      findings.push(
        finding(
          "TRS1012",
          at,
          `${path}: ${code} is a common code, which every operation may answer with`,
          "Remove it from `errors`, or choose a name of your own.",
        ),
      )
    if (!(Number.isInteger(status) && status >= 400 && status <= 499))
      findings.push(finding("TRS1012", at, `${path}: ${code}: ${status} is not a status from 400 to 499`, `errors: { ${code}: 409 },`))
  }
}

function checkStatus(path: string, { contract, at }: Declaration, findings: Finding[]): void {
  const { status } = contract
  const isSuccess = Number.isInteger(status) && status! >= 200 && status! <= 299
  const isEmpty = status === 204 || status === 205
  if (!isSuccess) findings.push(finding("TRS1012", at, `${path}: ${status} is not a status of success`, "status: 202,"))
  else if (contract.output === nothing && status !== 204)
    findings.push(
      finding("TRS1012", at, `${path}: an answer of nothing has status 204, not ${status}`, "Remove `status`, or declare an output."),
    )
  else if (contract.output !== nothing && isEmpty)
    findings.push(
      finding("TRS1012", at, `${path}: an answer with status ${status} has no body`, "Remove `status`, or write `output: nothing`."),
    )
}

export function checkOwner({ path, declaration }: Named, named: readonly Named[], findings: Finding[]): void {
  const { owner } = declaration.contract
  if (owner && !named.some(({ op }) => op === owner.load)) {
    findings.push(
      finding(
        "TRS1017",
        declaration.at,
        `${path}: the operation in owner.load is not in \`ops\``,
        "ops: { ..., inside: { getUser } }: without `http` it stays internal.",
      ),
    )
  }
}
