import { describe, expect, it } from "vitest"
import { REDACTED, Redactor } from "../base/redact.ts"
import { env, type Ref, type Reference, secret } from "../contract/reference.ts"
import type { Environment } from "./environment.ts"
import { type Need, resolveReferences } from "./references.ts"

const CANARY = "canary-5f2c9e"

function environmentOf(variables: Record<string, string>, source = ".env.local"): Environment {
  return {
    name: "development",
    folder: "/app",
    sources: ["the shell", ".env.local", ".env.development", ".env"],
    findings: [],
    get: (name) => (name in variables ? { value: variables[name]!, source, shadows: [] } : undefined),
    names: () => Object.keys(variables),
  }
}

const full = (ref: Ref): Reference => ref as Reference
const need = (ref: Ref, neededBy = "service people"): Need => ({ reference: full(ref), neededBy, place: { file: "/app/app.ts", line: 12 } })

function resolve(refs: (Reference | Need)[], variables: Record<string, string> = {}, redactor = new Redactor()) {
  return { ...resolveReferences(refs, environmentOf(variables), redactor), redactor }
}

describe("resolveReferences: values", () => {
  it("set → its value", () => expect(resolve([full(env("URL"))], { URL: "http://a" }).references.read(env("URL"))).toBe("http://a"))
  it("unset with a fallback → the fallback, no finding", () => {
    const { references, findings } = resolve([full(env("URL", "http://b"))])
    expect([references.read(env("URL", "http://b")), findings]).toEqual(["http://b", []])
  })
  it("empty with a fallback → the fallback", () =>
    expect(resolve([full(env("URL", "http://b"))], { URL: "" }).references.read(env("URL", "http://b"))).toBe("http://b"))
  it("set and a fallback → the value", () =>
    expect(resolve([full(env("URL", "http://b"))], { URL: "http://a" }).references.read(env("URL", "http://b"))).toBe("http://a"))
  it("an empty fallback → is one", () => expect(resolve([full(env("PREFIX", ""))]).references.read(env("PREFIX", ""))).toBe(""))
  it("one name, two fallbacks → each its own", () => {
    const { references } = resolve([full(env("URL", "a")), full(env("URL", "b"))])
    expect([references.read(env("URL", "a")), references.read(env("URL", "b"))]).toEqual(["a", "b"])
  })
  it("a plain string → itself", () => expect(resolve([]).references.read("http://c")).toBe("http://c"))
  it("a reference that was never resolved → assertion", () =>
    expect(() => resolve([]).references.read(env("X"))).toThrow(/X was read but never resolved/))
  it("a reference that is unset → assertion", () =>
    expect(() => resolve([full(env("X"))]).references.read(env("X"))).toThrow(/though it is unset/))
})

describe("resolveReferences: findings", () => {
  it("unset setting → TRS2001 with who needs it, where it was looked for and a line to paste", () => {
    expect(resolve([need(env("PEOPLE_URL"))]).findings).toEqual([
      {
        code: "TRS2001",
        severity: "error",
        message: "The setting PEOPLE_URL, needed by service people, is not set.",
        at: "the shell, .env.local, .env.development, .env in /app",
        file: "/app/app.ts",
        line: 12,
        excerpt: "",
        why: expect.any(String),
        fix: 'Put PEOPLE_URL=... in .env.local, or set it in the shell. Or declare a fallback: env("PEOPLE_URL", "...").',
      },
    ])
  })
  it("unset secret → TRS2002, and no fallback is proposed", () => {
    const [finding] = resolve([need(secret("CRM_TOKEN"))]).findings
    expect(finding).toMatchObject({
      code: "TRS2002",
      severity: "error",
      message: "The secret CRM_TOKEN, needed by service people, is not set.",
    })
    expect(finding?.fix).toBe("Put CRM_TOKEN=... in .env.local, or set it in the shell.")
  })
  it("several unset → all at once", () =>
    expect(resolve([need(env("A_URL")), need(secret("B_TOKEN")), need(env("C_URL"))]).findings).toHaveLength(3))
  it("needed twice → one finding that names both", () =>
    expect(resolve([need(secret("T")), need(secret("T"), "service crm")]).findings).toMatchObject([
      { message: "The secret T, needed by service people and service crm, is not set." },
    ]))
  it("one declares a fallback, another does not → only the other is named", () =>
    expect(resolve([need(env("U", "x")), need(env("U"), "service crm")]).findings).toMatchObject([
      { message: "The setting U, needed by service crm, is not set." },
    ]))
  it("a bare reference → no place, nobody named", () =>
    expect(resolve([full(env("U"))]).findings).toMatchObject([{ message: "The setting U is not set.", file: null, line: null }]))
  it("a similar name is set → asks whether that is meant", () =>
    expect(resolve([need(secret("CRM_TOKEN"))], { CRM_TOKN: CANARY }).findings[0]?.fix).toMatch(
      /^Found CRM_TOKN in \.env\.local: did you mean that\? Put CRM_TOKEN=/,
    ))
  it("a similar name that another reference uses → not proposed", () =>
    expect(resolve([need(secret("CRM_TOKEN1")), need(secret("CRM_TOKEN2"))], { CRM_TOKEN2: CANARY }).findings[0]?.fix).not.toContain(
      "CRM_TOKEN2",
    ))
  it("a similar name that is empty → not proposed", () =>
    expect(resolve([need(secret("CRM_TOKEN"))], { CRM_TOKN: "" }).findings[0]?.fix).not.toContain("CRM_TOKN="))
  it("empty → says that it is empty, and where", () =>
    expect(resolve([need(secret("CRM_TOKEN"))], { CRM_TOKEN: "" }).findings).toMatchObject([
      { code: "TRS2002", message: "The secret CRM_TOKEN, needed by service people, is empty in .env.local." },
    ]))
  it("empty in the shell over a value in a file → says what it shadows", () => {
    const environment = { ...environmentOf({}), get: () => ({ value: "", source: "the shell", shadows: [".env.local"] }) }
    const { findings } = resolveReferences([full(secret("T"))], environment, new Redactor())
    expect(findings[0]?.message).toBe("The secret T is empty in the shell, which shadows the value in .env.local.")
  })
})

describe("resolveReferences: secrets", () => {
  it("a secret's value → masked from then on", () => {
    const { redactor, findings } = resolve([need(secret("T"))], { T: CANARY })
    expect([redactor.text(`x ${CANARY}`), findings]).toEqual([`x ${REDACTED}`, []])
  })
  it("a setting's value → not masked", () => expect(resolve([need(env("T"))], { T: CANARY }).redactor.text(CANARY)).toBe(CANARY))
  it("declared as a setting and as a secret → masked", () =>
    expect(resolve([need(secret("T")), need(env("T"))], { T: CANARY }).redactor.text(CANARY)).toBe(REDACTED))

  it.each([
    "changeme",
    "CHANGE_ME",
    "change-me",
    "xxx",
    "xxxxxxxx",
    "********",
    "...",
    "TODO",
    "placeholder",
    "secret",
    "password",
    "null",
    "undefined",
    "your-token-here",
    "$" + "{CRM_TOKEN}",
    "$CRM_TOKEN",
    "{{ token }}",
    "<token>",
    "vault://kv/crm",
    "CRM_TOKEN",
    "crm_token",
    'secret("CRM_TOKEN")',
    "abc12",
  ])("%j → TRS2003, a warning that does not stop the start", (value) => {
    const { findings, references } = resolve([need(secret("CRM_TOKEN"))], { CRM_TOKEN: value })
    expect(findings).toMatchObject([{ code: "TRS2003", severity: "warning", at: ".env.local" }])
    expect(references.read(secret("CRM_TOKEN"))).toBe(value)
  })
  it.each(["sk-live-51Habc", "xoxb-12-34", "p4ssword!of-ada", "$2b$10$abcdefgh", "todomvc-key-1"])("%j → no finding", (value) =>
    expect(resolve([need(secret("CRM_TOKEN"))], { CRM_TOKEN: value }).findings).toEqual([]),
  )
  it("a setting that looks like a placeholder → no finding", () =>
    expect(resolve([need(env("U"))], { U: "changeme" }).findings).toEqual([]))
  it("no finding ever holds a value", () => {
    const { findings } = resolve([need(secret("A_TOKEN")), need(secret("B"))], { A_TOKE: CANARY, B: `\${${CANARY}}` })
    expect(findings).toHaveLength(2)
    expect(JSON.stringify(findings)).not.toContain(CANARY)
  })
})
