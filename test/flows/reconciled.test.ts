// A step that its service cannot be asked for twice, but that can be looked up: its process dies at each point at which it can die.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { code, defer, fallback, flow, op, trestle } from "../../src/index.ts"
import { db, Life, type Node, Place } from "./kit.ts"

const Id = z.object({ id: z.string() })

/** Another system: what it is given twice, it has twice. */
class Register {
  readonly records: string[] = []
  life = new Life()
  isOut = false

  add(id: string): Promise<{ id: string }> {
    if (this.isOut) throw new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected" })
    return this.life.round("record", () => {
      this.records.push(id)
      return { id }
    })
  }

  find(id: string): { id: string } | null {
    if (this.isOut) throw new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected" })
    return this.records.includes(id) ? { id } : null
  }
}

function appOf(register: Register) {
  const add = op({ effect: "write", input: Id, output: Id }).via(
    fallback(
      code(({ id }) => register.add(id)),
      defer((i) => i, { reconcile: async ({ id }) => register.find(id) }),
    ),
  )
  const sign = op({ effect: "write", input: Id, output: Id, deadline: "10s" }).via(flow((i, s) => s.run(add, i)))
  return trestle({ name: "reconciled", ops: { add, sign }, store: db })
}

/** `null`: the first process did not die any more. */
async function runWith(
  deathAt: number,
  isOut: boolean,
): Promise<{ at: string; records: readonly string[]; left: readonly string[] } | null> {
  const place = await Place.open("create table unused (id text)")
  const register = new Register()
  register.isOut = isOut
  const app = appOf(register)
  const first = await place.start(app)
  const life = new Life(deathAt)
  Object.assign(first.life, { pass: life.pass.bind(life), round: life.round.bind(life) })
  register.life = life
  const call = first.running.internal().sign.safe({ id: "ada" })
  await Promise.race([life.dead.promise, call.then(() => first.durable.work())])
  if (!life.isDead) return null
  register.life = new Life()
  const node: Node<unknown> = await place.start(app)
  // Still out for the first of the next runs.
  await place.recover(node, 1)
  register.isOut = false
  await place.recover(node, 30)
  const left = (await node.jobs()).filter(({ state }) => state !== "done").map(({ kind, state }) => `${kind} ${state}`)
  await place.session.close()
  return { at: life.points.at(-1)!, records: register.records, left }
}

describe("a step that can be looked up", () => {
  test.each([
    ["there", false],
    ["out", true],
  ])("its process dies at any point while the service is %s → it is made once, or was never begun", async (_, isOut) => {
    const seen: string[] = []
    for (let deathAt = 1; ; deathAt++) {
      const found = await runWith(deathAt, isOut)
      if (found === null) break
      seen.push(found.at)
      expect([found.at, found.left]).toEqual([found.at, []])
      expect(found.records.length, found.at).toBe(deathAt === 1 ? 0 : 1)
    }
    expect(seen.length).toBeGreaterThan(4)
  })
})
