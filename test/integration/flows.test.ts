// Flows over calls, crashes, changes of their code, deferred writes and other flows.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import {
  can,
  code,
  defer,
  fallback,
  flow,
  nothing,
  op,
  type Principal,
  rest,
  role,
  type Steps,
  sql,
  sqlite,
  trestle,
} from "../../src/index.ts"
import { testApp } from "../../src/testing/index.ts"
import { db, Life, type Node, Place } from "../flows/kit.ts"

const Id = z.object({ id: z.string() })
const ada: Principal = { id: "ada", kind: "user", roles: ["clerk"] }
const http = { allow: role("clerk"), anyObject: "a test" } as const
const done: string[] = []
const acting = (what: string) =>
  code<{ id: string }, { id: string }>(({ id }) => {
    done.push(what + id)
    return { id }
  })
const add = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(acting("+"))
const remove = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(acting("-"))

type F = (input: { id: string }, s: Steps<any>) => Promise<{ id: string }>
const flowOp = (f: F, options?: Parameters<typeof flow>[1]) =>
  op({ http: "POST /flows", ...http, input: Id, output: Id, errors: { FULL: 409 }, deadline: "5s" }).via(flow(f as never, options))

/** Runs the first version until it dies in the effect of `stop`, then the second one, to its end. */
async function changed(first: (stop: any) => object, second: object): Promise<Node<any>> {
  done.length = 0
  const place = await Place.open()
  const life = new Life()
  const stop = op({ effect: "write", repeat: "natural", input: nothing, output: nothing }).via(code((): Promise<void> => life.die()))
  const one = await place.start(trestle({ name: "flows", ops: first(stop), store: db }) as any, life)
  const running = (one.running as any).internal()
  running.all.safe({ id: "a" })
  await life.dead.promise
  const two = await place.start(trestle({ name: "flows", ops: second, store: db }) as any)
  await place.recover(two, 2)
  return two
}

const ends = async (node: { jobs(): Promise<readonly any[]> }): Promise<string[]> =>
  (await node.jobs()).map(({ state, history }) => `${state} ${history.at(-1)?.code ?? ""}`.trim())

describe("a flow whose code changes while it is under way", () => {
  const firstly = (f: (s: Steps<any>) => Promise<unknown>) => (stop: any) => ({
    add,
    stop,
    all: flowOp(async (input, s) => {
      await f(s)
      await s.run(stop, undefined)
      return input
    }),
  })
  const now = (f: F) => ({ add, remove, all: flowOp(f) })

  test("another operation at the place of a step → parked", async () => {
    const node = await changed(
      firstly((s) => s.run(add, { id: "a" })),
      now(async (input, s) =>
        s
          .run(add, { id: "a" })
          .then(() => s.run(add, { id: "b" }))
          .then(() => input),
      ),
    )
    expect([done, await ends(node)]).toEqual([["+a"], ["parked FLOW_DRIFTED"]])
  })
  test("another input of a step → parked, and says which", async () => {
    const node = await changed(
      firstly((s) => s.run(add, { id: "a" })),
      now(async (input, s) => s.run(add, { id: "b" }).then(() => input)),
    )
    expect([done, await ends(node)]).toEqual([["+a"], ["parked FLOW_DRIFTED"]])
    expect((await node.jobs())[0]!.history.at(-1)!.why).toMatch(/flow all: step 1 was add \w+, and is add \w+ now/)
  })
  test("a step that is not asked for any more → parked", async () => {
    const node = await changed(
      firstly((s) => s.run(add, { id: "a" })),
      now(async (input) => input),
    )
    expect(await ends(node)).toEqual(["parked FLOW_DRIFTED"])
  })
  test.each([
    ["another name of a step that is done", (s: Steps<any>) => s.run(add, { id: "a" }, { name: "put" })],
    [
      "a new step before one that is done",
      (s: Steps<any>) => s.run(add, { id: "b" }, { name: "new" }).then(() => s.run(add, { id: "a" }, { name: "add" })),
    ],
    [
      "a new statement before one that is done",
      (s: Steps<any>) => s.transaction(db, async () => void done.push("statement"), { name: "new" }),
    ],
  ])("%s → parked before it begins", async (_, f) => {
    const node = await changed(
      firstly((s) => s.run(add, { id: "a" }, { name: "add" })),
      { add, remove, all: flowOp((input, s) => f(s).then(() => input), { databases: [db] }) },
    )
    expect([done, await ends(node)]).toEqual([["+a"], ["parked FLOW_DRIFTED"]])
  })
  test("a new step after all that were there → done", async () => {
    const stop = op({ effect: "write", repeat: "natural", input: nothing, output: nothing }).via(code(() => undefined))
    const node = await changed(
      firstly((s) => s.run(add, { id: "a" }, { name: "add" })),
      {
        add,
        stop,
        all: flowOp(async (input, s) => {
          await s.run(add, { id: "a" }, { name: "add" })
          await s.run(stop, undefined)
          await s.run(add, { id: "z" }, { name: "last" })
          return input
        }),
      },
    )
    expect([done, await ends(node)]).toEqual([["+a", "+z"], ["done"]])
  })
  test("steps together, of which one had not begun → it begins now, whichever is asked for first", async () => {
    done.length = 0
    const place = await Place.open()
    const life = new Life()
    const held = Promise.withResolvers<void>()
    // Asked for first, and not written down before those after it: a read has no effect.
    const slow = op({ effect: "read", input: Id, output: Id }).via(code(async (i) => held.promise.then(() => i)))
    const versionOf = (first: typeof add) => ({
      add,
      slow: first,
      all: flowOp(async (input, s) => {
        const one = s.run(first, { id: "new" }, { name: "one" })
        await s.run(add, { id: "a" }, { name: "a" })
        await s.run(add, { id: "b" }, { name: "b" })
        if (first === (slow as never)) await life.die()
        await one
        return input
      }),
    })
    const dying = await place.start(trestle({ name: "flows", ops: versionOf(slow as never), store: db }) as any, life)
    ;(dying.running as any).internal().all.safe({ id: "a" })
    await life.dead.promise
    held.resolve()
    const quick = op({ effect: "read", input: Id, output: Id }).via(code((i) => i))
    const node = await place.start(trestle({ name: "flows", ops: versionOf(quick as never), store: db }) as any)
    await place.recover(node, 1)
    expect([done, await ends(node)]).toEqual([["+a", "+b"], ["done"]])
  })
  test("it fails now, before a step that has been done → parked: that step could not be undone", async () => {
    const node = await changed(
      firstly((s) => s.run(add, { id: "a" })),
      now(async (_, s) => s.fail("FULL")),
    )
    expect(await ends(node)).toEqual(["parked FLOW_DRIFTED"])
  })
  test("an operation and the flow have other names → goes on", async () => {
    const place = await Place.open()
    done.length = 0
    const life = new Life()
    const halting = () => code<void, void>((): Promise<void> => life.die())
    const contract = { effect: "write", repeat: "natural", input: Id, output: Id } as const
    const versionOf = (names: { was?: string[]; wasAll?: string[] }, isLast: boolean) => {
      const put = op({ ...contract, ...(names.was && { was: names.was }) }).via(acting("+"))
      const stop = op({ effect: "write", repeat: "natural", input: nothing, output: nothing }).via(
        isLast ? code<void, void>(() => undefined) : halting(),
      )
      const all = op({ effect: "write", input: Id, output: Id, ...(names.wasAll && { was: names.wasAll }) }).via(
        flow(async (input, s) => {
          const answer = await s.run(put, input)
          await s.run(stop, undefined)
          return answer
        }),
      )
      return { put, stop, all }
    }
    const first = versionOf({}, false)
    const one = await place.start(trestle({ name: "flows", ops: { put: first.put, stop: first.stop, all: first.all }, store: db }), life)
    void one.running.internal().all.safe({ id: "a" })
    await life.dead.promise
    const { put, stop, all } = versionOf({ was: ["put"], wasAll: ["all"] }, true)
    const two = await place.start(trestle({ name: "flows", ops: { items: { put }, stop, whole: all }, store: db }))
    await place.recover(two, 1)
    expect([done, await ends(two)]).toEqual([["+a"], ["done"]])
  })
  test("a step that may not be repeated is done → not run again, and the flow goes on", async () => {
    const once = op({ effect: "write", input: Id, output: Id }).via(acting("once "))
    const versionOf = (stop: any) => ({
      once,
      stop,
      all: flowOp(async (i, s) => {
        const answer = await s.run(once, i)
        await s.run(stop, undefined)
        return answer
      }),
    })
    const going = op({ effect: "write", repeat: "natural", input: nothing, output: nothing }).via(code(() => undefined))
    const node = await changed(versionOf, versionOf(going))
    expect([done, await ends(node)]).toEqual([["once a"], ["done"]])
  })
  test("a step that may not be repeated may have happened → parked, not undone; ordered by a person it runs again", async () => {
    const place = await Place.open()
    done.length = 0
    const ops = (life: Life | null) => {
      const once = op({ effect: "write", input: Id, output: Id }).via(
        code(async ({ id }) => {
          await life?.die()
          done.push(`once ${id}`)
          return { id }
        }),
      )
      const all = op({ effect: "write", input: Id, output: Id }).via(
        flow(async (input, s) => {
          await s.run(add, input, { undo: (answer) => s.run(remove, answer) })
          return s.run(once, input)
        }),
      )
      return trestle({ name: "flows", ops: { add, remove, once, all }, store: db })
    }
    const life = new Life()
    void (await place.start(ops(life), life)).running.internal().all.safe({ id: "a" })
    await life.dead.promise
    const two = await place.start(ops(null))
    await place.recover(two, 1)
    expect([done, await ends(two)]).toEqual([["+a"], ["parked OUTCOME_UNKNOWN"]])
    const [job] = await two.jobs()
    await two.durable.desk.retry([(await two.durable.desk.find(job!.id))!])
    await place.recover(two, 1)
    expect([done, (await two.jobs())[0]!.state]).toEqual([["+a", "once a"], "done"])
  })
})

describe("time", () => {
  test("the deadline is over → PENDING for the caller, the flow goes on, and its end is seen", async () => {
    const gate = Promise.withResolvers<void>()
    const slow = op({ effect: "write", input: Id, output: Id, deadline: "1m" }).via(code((i) => gate.promise.then(() => i)))
    await using t = await testApp(
      trestle({ name: "flows", ops: { slow, all: flowOp((i, s) => s.run(slow, i, { name: "the slow one" })) } }),
    )
    const call = (t.as(ada) as any).all.safe({ id: "a" })
    await t.clock.advance("5s")
    const result = (await call) as { code: string; work: string }
    expect(result).toMatchObject({ code: "PENDING", outcome: "unknown" })
    expect(await t.work(result.work)).toMatchObject({ state: "running", progress: { done: 0, step: "the slow one" } })
    gate.resolve()
    await t.drain()
    expect(await t.work(result.work)).toMatchObject({ state: "done", answer: { id: "a" } })
  })
  test("within is over → undone, and ends as TIMEOUT", async () => {
    done.length = 0
    let isDown = true
    const put = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(
      code((i) => {
        if (isDown) throw new Error("down")
        return i
      }),
    )
    const all = flowOp(
      async (input, s) => {
        await s.run(add, input, { undo: (answer) => s.run(remove, answer) })
        await s.run(put, input)
        return s.run(add, { id: "late" })
      },
      { within: "1h" },
    )
    await using t = await testApp(trestle({ name: "flows", ops: { add, remove, put, all } }))
    const call = (t.as(ada) as any).all.safe({ id: "a" })
    await t.drain()
    isDown = false
    await t.clock.advance("61m")
    await t.drain()
    const { work } = (await call) as { work: string }
    expect(done).toEqual(["+a", "-a"])
    expect(await t.work(work)).toMatchObject({ state: "failed", problem: { code: "TIMEOUT" } })
  })
  test("the application closes in the middle → suspended, and the next start goes on", async () => {
    done.length = 0
    const place = await Place.open()
    const begun = Promise.withResolvers<void>()
    const appOf = (isHanging: boolean) => {
      const put = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(
        code((i, ctx) => {
          if (!isHanging) return i
          begun.resolve()
          return new Promise<never>((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)))
        }),
      )
      const all = op({ effect: "write", input: Id, output: Id }).via(
        flow(async (input, s) => {
          await s.run(add, input)
          return s.run(put, input)
        }),
      )
      return trestle({ name: "flows", ops: { add, put, all }, store: db })
    }
    const one = await place.start(appOf(true))
    const call = one.running.internal().all.safe({ id: "a" })
    await begun.promise
    const closing = one.running.close()
    expect(await call).toMatchObject({ code: "PENDING" })
    await closing
    const two = await place.start(appOf(false))
    await place.recover(two, 1)
    expect([done, await ends(two)]).toEqual([["+a"], ["done"]])
  }, 20_000)
})

describe("a step that is deferred", () => {
  const people = rest({ url: "http://people.test", name: "people", policy: { retry: 0, breaker: false } })
  const invite = op({ effect: "write", input: Id, output: z.object({ id: z.string(), state: z.string() }), errors: { TAKEN: 409 } }).via(
    fallback(
      people.call("POST /people", {
        body: (i) => i,
        map: () => ({ id: "1", state: "there" }),
        repeat: { key: "Idempotency-Key" },
        errors: { 409: "TAKEN" },
      }),
      defer(({ id }) => ({ id, state: "pending" })),
    ),
  )
  const undoing = (s: Steps<any>) => ({ undo: (answer: { id: string }) => s.run(remove, answer) })
  const appOf = (f: F) => trestle({ name: "flows", ops: { add, remove, invite, all: flowOp(f, { within: "1h" }) } })

  test("suspends the flow, whose caller hears PENDING; when it is done the flow goes on with its real answer", async () => {
    await using t = await testApp(appOf(async (i, s) => ({ id: (await s.run(invite, i)).state })))
    t.wire(people).down()
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    expect(result).toMatchObject({ code: "PENDING" })
    expect((await t.jobs()).map(({ kind, state }) => `${kind} ${state}`)).toEqual(["flow waiting", "deferred waiting"])
    await t.clock.advance("1m")
    await t.drain()
    const isLookOf = t.calls().flatMap(({ entrance, error, delivery }) => (entrance === "flow" && error ? [delivery?.isLook] : []))
    expect([isLookOf[0], isLookOf.length > 1, isLookOf.slice(1).every(Boolean)]).toEqual([false, true, true])
    t.wire(people).up().wire(people).on("POST /people").reply(200, {})
    await t.clock.advance("10m")
    await t.drain()
    await t.clock.advance("2m")
    await t.drain()
    expect(await t.work((result as { work: string }).work)).toMatchObject({ state: "done", answer: { id: "there" } })
  })
  test("is answered with an error later → the flow is undone, and nobody sends it any more", async () => {
    done.length = 0
    await using t = await testApp(
      appOf(async (i, s) => {
        await s.run(add, i, undoing(s))
        return s.run(invite, i)
      }),
    )
    t.wire(people).down()
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    t.wire(people).up().wire(people).on("POST /people").reply(409, {})
    for (let n = 0; n < 3; n++) {
      await t.clock.advance("10m")
      await t.drain()
    }
    expect(done).toEqual(["+a", "-a"])
    expect(await t.work((result as { work: string }).work)).toMatchObject({ state: "failed", problem: { code: "TAKEN", status: 409 } })
    expect((await t.jobs()).map(({ kind, state }) => `${kind} ${state}`)).toEqual(["flow failed"])
  })
  test("another one fails meanwhile → the deferred one is taken back, never sent, and the flow undone", async () => {
    done.length = 0
    await using t = await testApp(
      appOf(async (i, s) => {
        await s.run(add, i, undoing(s))
        await Promise.all([s.run(invite, i, { name: "invite" }), s.run(add, i, { name: "b" }).then(() => s.fail("FULL"))])
        return i
      }),
    )
    t.wire(people).down()
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    t.wire(people).up().wire(people).on("POST /people").reply(200, {})
    for (let n = 0; n < 3; n++) {
      await t.clock.advance("2m")
      await t.drain()
    }
    expect(done).toEqual(["+a", "+a", "-a"])
    expect(t.sent(people)).toHaveLength(0)
    expect(result).toMatchObject({ ok: false })
    expect((await t.jobs()).map(({ kind, state }) => `${kind} ${state}`)).toEqual(["flow failed"])
  })
  test("lets no step of another branch begin, until it is done", async () => {
    done.length = 0
    const slow = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(
      code(async (i) => {
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
        return i
      }),
    )
    const all = flowOp(async (i, s) => {
      const branch = s.run(slow, i, { name: "slow" }).then(() => s.run(add, { id: "after" }, { name: "after" }))
      await Promise.all([s.run(invite, i, { name: "invite" }), branch])
      return i
    })
    await using t = await testApp(trestle({ name: "flows", ops: { add, slow, invite, all } }))
    t.wire(people).down()
    await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    const kept = await t.jobs()
    expect([done, kept.map(({ kind, state }) => `${kind} ${state}`)]).toEqual([[], ["flow waiting", "deferred waiting"]])
    expect(kept[0]!.history.at(-1)).toMatchObject({ what: "suspended", work: kept[1]!.id })
    t.wire(people).up().wire(people).on("POST /people").reply(200, {})
    for (let n = 0; n < 3; n++) {
      await t.clock.advance("2m")
      await t.drain()
    }
    expect([done, await ends(t)]).toEqual([["+after"], ["done", expect.stringMatching("done")]])
  })
  test("waits longer than the flow may last → taken back, TIMEOUT", async () => {
    await using t = await testApp(appOf(async (i, s) => s.run(invite, i)))
    t.wire(people).down()
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    for (let n = 0; n < 4; n++) {
      await t.clock.advance("1h")
      await t.drain()
    }
    expect(await t.work((result as { work: string }).work)).toMatchObject({ state: "failed", problem: { code: "TIMEOUT" } })
    expect((await t.jobs()).map(({ kind, state }) => `${kind} ${state}`)).toEqual(["flow failed"])
  })
  test("was removed by a person → the flow is parked, and goes on when it is ordered to", async () => {
    await using t = await testApp(appOf(async (i, s) => s.run(invite, i)))
    t.wire(people).down()
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    await t.drop((await t.jobs()).find(({ kind }) => kind === "deferred")!.id)
    await t.clock.advance("2m")
    await t.drain()
    expect(await t.work((result as { work: string }).work)).toMatchObject({ state: "parked" })
    t.wire(people).up().wire(people).on("POST /people").reply(200, {})
    await t.retry((result as { work: string }).work)
    await t.drain()
    expect(await t.work((result as { work: string }).work)).toMatchObject({ state: "done" })
  })
})

describe("a flow within a flow", () => {
  test("its end is a step's answer; after a crash it is found, not begun anew", async () => {
    done.length = 0
    const place = await Place.open()
    const appOf = (life: Life | null) => {
      const put = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(
        code(async (i) => {
          await life?.die()
          done.push(`put ${i.id}`)
          return i
        }),
      )
      const inner = op({ effect: "write", input: Id, output: Id }).via(
        flow(async (i, s) => {
          await s.run(add, i)
          return s.run(put, i)
        }),
      )
      const all = op({ effect: "write", input: Id, output: Id }).via(
        flow(async (i, s) => {
          const answer = await s.run(inner, i)
          await s.run(add, { id: "after" })
          return answer
        }),
      )
      return trestle({ name: "flows", ops: { add, put, inner, all }, store: db })
    }
    const life = new Life()
    void (await place.start(appOf(life), life)).running.internal().all.safe({ id: "a" })
    await life.dead.promise
    const two = await place.start(appOf(null))
    await place.recover(two, 2)
    expect(done).toEqual(["+a", "put a", "+after"])
    expect((await two.jobs()).map(({ operation, state }) => `${operation} ${state}`)).toEqual(["all done", "inner done"])
  })
  test("it fails → its own steps are undone, then those of the outer one", async () => {
    done.length = 0
    const undo = (s: Steps<any>) => ({ undo: (answer: { id: string }) => s.run(remove, answer) })
    const inner = op({ effect: "write", input: Id, output: Id, errors: { FULL: 409 } }).via(
      flow(async (_, s) => {
        await s.run(add, { id: "inner" }, undo(s))
        return s.fail("FULL")
      }),
    )
    const all = flowOp(async (i, s) => {
      await s.run(add, { id: "outer" }, undo(s))
      return s.run(inner, i)
    })
    await using t = await testApp(trestle({ name: "flows", ops: { add, remove, inner, all } }))
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    expect(result).toMatchObject({ code: "FULL", outcome: "answered" })
    expect(done).toEqual(["+outer", "+inner", "-inner", "-outer"])
  })
})

describe("who may", () => {
  const guarded = op({ effect: "write", repeat: "natural", allow: can("guarded:write"), input: Id, output: Id }).via(acting("+"))
  test("a step whose rule does not let the caller in → FORBIDDEN, undone", async () => {
    await using t = await testApp(trestle({ name: "flows", ops: { guarded, all: flowOp((i, s) => s.run(guarded, i)) } }))
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    expect(result).toMatchObject({ code: "FORBIDDEN" })
  })
  test("among the flow's grants → runs", async () => {
    const all = flowOp((i, s) => s.run(guarded, i), { grants: [guarded] })
    await using t = await testApp(trestle({ name: "flows", ops: { guarded, all } }))
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    expect(result).toMatchObject({ ok: true })
  })
})

describe("a transaction as a step", () => {
  const plain = sqlite({ file: ":memory:", name: "plain" })
  test("of a database that is not among the flow's → its mistake, with what to write", async () => {
    const all = flowOp((i, s) => s.transaction(plain, (tx) => tx.run(sql`select 1`)).then(() => i))
    await using t = await testApp(trestle({ name: "flows", ops: { all } }))
    const [result] = await Promise.all([(t.as(ada) as any).all.safe({ id: "a" }), t.drain()])
    expect(result).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(t.calls().at(-1)!.error!.note).toContain("databases: [...]")
  })
})
