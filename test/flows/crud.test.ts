// A flow whose step adds a row to a resource: its process dies at each point at which it can die.
import { expect, test } from "vitest"
import { z } from "zod"
import { anyone, crud, flow, nothing, op, trestle } from "../../src/index.ts"
import { db, Life, Place } from "./kit.ts"

const Task = z.object({ id: z.string(), title: z.string() })
const NewTask = z.object({ title: z.string() })

function appOf() {
  const tasks = crud({
    http: "/tasks",
    table: db.table("tasks", Task),
    id: "id",
    create: NewTask,
    update: NewTask.partial(),
    allow: { read: anyone("a test"), write: anyone("a test") },
    anyObject: "tasks are everybody's",
  })
  const plan = op({ effect: "write", input: nothing, output: Task, deadline: "10s" }).via(
    flow(async (_, s) => {
      const { id } = await s.run(tasks.create, { title: "read" })
      return s.run(tasks.update, { id, title: "read more" })
    }),
  )
  return trestle({ name: "tasks", ops: { tasks, plan }, store: db })
}

test("dies at any point → the row is there once, and nothing waits for a person", async () => {
  const seen: string[] = []
  for (let deathAt = 1; ; deathAt++) {
    const place = await Place.open("create table tasks (id text primary key, title text not null)")
    const app = appOf()
    const life = new Life(deathAt)
    const first = await place.start(app, life)
    const call = first.running.internal().plan.safe(undefined)
    await Promise.race([life.dead.promise, call])
    if (!life.isDead) break
    const at = life.points.at(-1)!
    seen.push(at)
    const node = await place.start(app)
    await place.recover(node)
    const { items } = await node.running.internal().tasks.list({})
    const states = (await node.jobs()).map(({ state }) => state)
    // It is not known where the process died before it had put its job.
    const isPut = states.length > 0
    expect([at, items.map(({ title }) => title), states]).toEqual([at, isPut ? ["read more"] : [], isPut ? ["done"] : []])
    await place.session.close()
  }
  expect(seen).toContain("after transaction")
})
