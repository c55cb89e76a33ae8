import { type App, definitionOf } from "../assembly/definition.ts"
import { parseBytes } from "../base/bytes.ts"
import { BODY_BYTES_MAX } from "../contract/policy.ts"
import type { Principal } from "../contract/principal.ts"
import { checkDeclarations } from "../runtime/check.ts"
import { broken, type Subject } from "./case-subject.ts"
import { accessCases } from "./cases-access.ts"
import { answerCases } from "./cases-answer.ts"
import { inputCases } from "./cases-input.ts"
import { keyCases } from "./cases-keys.ts"
import { type TestApp, testApp } from "./test-app.ts"

/** One test: its name, and how to run it. Rejects when the promise is broken. */
export interface ContractCase {
  /** `users.create: name is missing → 400 that names it`. */
  readonly name: string
  run(): Promise<void>
}

/** What cannot be read off the declarations. */
export interface ContractCasesOptions {
  /** Who passes the rules of an operation, by its path, where that cannot be found out. */
  readonly callers?: Readonly<Record<string, Principal>>
}

/** A case as the rooms of cases write it: what it promises, and how to see that. */
export interface PlannedCase {
  readonly promise: string
  see(t: TestApp<any>, subject: Subject): Promise<void>
}

/**
 * One test for each promise that the declarations make, for each operation: what is accepted and what refused, by whom, and how errors
 * look. The requests go through the real entrance and all its stages; only the backends are replaced.
 *
 *     for (const { name, run } of contractCases(app)) test(name, run)
 *
 * Inputs and answers are those of the first example, else they are made from the JSON Schema; where that cannot be done, the case fails
 * and asks for `examples`. The cases share one test application, and take turns.
 */
export function contractCases<T>(app: App<T>, options: ContractCasesOptions = {}): readonly ContractCase[] {
  const definition = definitionOf(app)
  const { operations, named, findings } = checkDeclarations(definition.ops, definition.defaults ?? {})
  const errors = findings.filter(({ severity }) => severity === "error")
  const sound: ContractCase = {
    name: `${app.name}: its declarations have no findings`,
    run: async () => void (errors.length > 0 && broken(errors.map(({ code, message }) => `${code} ${message}`).join("; "))),
  }
  // Such an application cannot start, so nothing else could be seen.
  if (errors.length > 0) return [sound]
  const all = operations.map((operation) => ({ operation, op: named.find(({ path }) => path === operation.path)!.op }))
  const shared = {
    all,
    permissions: definition.permissions ?? {},
    bodyBytesMax: parseBytes(definition.defaults?.bodyLimit) ?? BODY_BYTES_MAX,
  }
  const inTurn = turns(app)
  const cases = all.flatMap(({ op, operation }) => {
    const subject: Subject = { op, operation, ...shared, caller: options.callers?.[operation.path] }
    const planned = [...inputCases(subject), ...accessCases(subject), ...answerCases(subject), ...keyCases(subject)]
    return planned.map(({ promise, see }) => ({ name: `${operation.path}: ${promise}`, run: () => inTurn((t) => see(t, subject)) }))
  })
  return [sound, ...cases]
}

/** Starts the application with the first case; a runner that runs tests side by side must not mix up their programs. */
function turns<T>(app: App<T>): (see: (t: TestApp<T>) => Promise<void>) => Promise<void> {
  let opening: Promise<TestApp<T>> | null = null
  let last: Promise<unknown> = Promise.resolve()
  return (see) => {
    opening ??= testApp(app)
    const turn = last.then(async () => {
      const t = await opening!
      t.reset()
      await see(t)
    })
    last = turn.catch(() => undefined)
    return turn
  }
}
