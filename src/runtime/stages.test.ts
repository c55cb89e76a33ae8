import { describe, expect, test } from "vitest"
import type { Operation } from "../contract/operation.ts"
import type { Call } from "./call.ts"
import { compileStages, STAGES, type Stage, type StageMaker, type StageName } from "./stages.ts"

const operation = { path: "things.get" } as Operation
const call = (): Call => ({ stopped: null }) as unknown as Call

function compiled(stages: Partial<Record<StageName, Stage | null>>, isEntrance = true): Stage {
  const { idempotency, ...others } = stages
  const makers = Object.fromEntries(Object.entries(others).map(([name, stage]) => [name, (() => stage) as StageMaker]))
  const around = idempotency && (() => (asking: Stage) => inTurn(idempotency, asking))
  return compileStages(operation, around ? { ...makers, idempotency: around } : makers, isEntrance)
}

function inTurn(first: Stage, then: Stage): Stage {
  return (call) => {
    first(call)
    return then(call)
  }
}

describe("compileStages", () => {
  test("in the order of the list, whatever the order of the makers", () => {
    const ran: string[] = []
    const all = Object.fromEntries([...STAGES].reverse().map(({ name }) => [name, () => void ran.push(name)]))
    compiled(all)(call())
    expect(ran).toEqual(STAGES.map(({ name }) => name))
  })
  test("a call in process → without the stages of the entrance", () => {
    const ran: string[] = []
    const all = Object.fromEntries(STAGES.map(({ name }) => [name, () => void ran.push(name)]))
    compiled(all, false)(call())
    expect(ran).toEqual(["validate input", "authorize", "idempotency", "call", "encode"])
  })
  test("a maker is asked once, at the start, with the operation", () => {
    const asked: unknown[] = []
    const maker: StageMaker = (of) => {
      asked.push(of)
      return () => {}
    }
    const run = compileStages(operation, { call: maker }, false)
    run(call())
    run(call())
    expect(asked).toEqual([operation])
  })
  test("no stage waits → no promise", () => {
    expect(compiled({ admit: () => {}, call: () => {} })(call())).toBeUndefined()
  })
  test("one stage alone → that stage itself; what has nothing to do leaves no trace", () => {
    const only: Stage = () => {}
    expect(compiled({ admit: null, call: only, encode: null })).toBe(only)
  })
  test("a stage that waits → the next ones after it", async () => {
    const ran: string[] = []
    const waiting = compiled({
      decode: () => Promise.resolve().then(() => void ran.push("decode")),
      call: () => void ran.push("call"),
    })(call())
    expect(ran).toEqual([])
    await waiting
    expect(ran).toEqual(["decode", "call"])
  })
  test("stopped while a stage waits → no further stage, no error", async () => {
    const ran: string[] = []
    const one = call() as { stopped: unknown }
    const waiting = compiled({
      decode: async () => {
        one.stopped = new Error("over")
      },
      authorize: () => void ran.push("authorize"),
      call: () => void ran.push("call"),
    })(one as Call)
    await expect(waiting).resolves.toBeUndefined()
    expect(ran).toEqual([])
  })
  test.each([
    [
      "throws",
      () => {
        throw new Error("no")
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
  ] as const)("a stage that %s → that error, no further stage", async (_how, stage) => {
    const ran: string[] = []
    const run = async (): Promise<void> => compiled({ authorize: stage as Stage, call: () => void ran.push("call") })(call())
    await expect(run()).rejects.toThrow("no")
    expect(ran).toEqual([])
  })
})
