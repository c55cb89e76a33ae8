import { besideOf } from "./application.ts"
import type { Task } from "./client.ts"
import type { SimulatedDatabase } from "./databases.ts"
import type { Effect } from "./receiver.ts"

export interface Evidence {
  readonly tasks: readonly Task[]
  readonly effects: readonly Effect[]
  readonly db: SimulatedDatabase
  readonly store: SimulatedDatabase
}

/** Operations of which a run may be such that nobody can say whether it has happened. */
const MAY_PARK = new Set(["note", "ticket"])

/** What must hold when everything has come to its end. */
export function brokenAtTheEnd(evidence: Evidence): string[] {
  return [...undecided(evidence), ...queues(evidence), ...evidence.tasks.flatMap((task) => ofTask(task, evidence)), ...ordered(evidence)]
}

function count({ effects }: Evidence, via: string, id: string): number {
  return effects.filter((effect) => effect.via === via && effect.id === id).length
}

function parkedFor({ store }: Evidence, operation: string, id: string): boolean {
  return store
    .rows("select operation, body from trestle_jobs where state = 'parked' and follows_unknown = 1")
    .some((job) => job.operation === operation && (job.body as string).includes(`"${id}"`))
}

function undecided({ store }: Evidence): string[] {
  return store
    .rows("select operation, state, history from trestle_jobs where state in ('parked', 'dead')")
    .filter(({ operation, state }) => state === "dead" || !MAY_PARK.has(operation))
    .map(({ operation, state, history }) => `a job of ${operation} is ${state}: ${history}`)
}

function queues({ db, store }: Evidence): string[] {
  const [jobs] = store.rows("select count(*) as n from trestle_jobs where state in ('waiting', 'running')")
  const [messages] = db.rows("select count(*) as n from trestle_outbox")
  const [steps] = store.rows(
    "select count(*) as n from trestle_steps where flow not in (select id from trestle_jobs where state = 'parked')",
  )
  return [
    ...(jobs!.n > 0 ? [`${jobs!.n} jobs are still open`] : []),
    ...(messages!.n > 0 ? [`${messages!.n} messages are still in the outbox`] : []),
    ...(steps!.n > 0 ? [`${steps!.n} steps of flows that are over are still kept`] : []),
  ]
}

function ofTask(task: Task, evidence: Evidence): string[] {
  const broken: string[] = []
  const { id } = task.order
  const unless: Unless = (holds, what) => void (holds || broken.push(`${task.asks} ${id} (${task.told}): ${what}`))
  const n = (via: string): number => count(evidence, via, id)
  const inTable = (table: string, column: string): number => evidence.db.rows(`select 1 from ${table} where ${column} = ?`, [id]).length
  switch (task.asks) {
    case "place": {
      const orders = inTable("orders", "id")
      unless(orders <= 1, `stored ${orders} times`)
      unless(task.told !== "done" || orders === 1, "acknowledged, and not stored")
      unless(n("ship") === orders, `shipped ${n("ship")} times, stored ${orders} times`)
      unless(inTable("bills", "order_id") === orders, `billed ${inTable("bills", "order_id")} times, stored ${orders} times`)
      break
    }
    case "later":
    case "note": {
      const isParked = parkedFor(evidence, task.asks, id)
      unless(n(task.asks) <= 1, `had ${n(task.asks)} effects`)
      unless(task.told === null || n(task.asks) === 1 || (task.told === "pending" && isParked), "acknowledged, and lost")
      break
    }
    case "mail":
      unless(n("mail") <= 1, `sent ${n("mail")} times`)
      unless(task.told !== "done" || n("mail") === 1, "acknowledged, and not sent")
      break
    case "checkout":
      checkout(task, { n, ledger: inTable("ledger", "order_id"), unless, effects: evidence.effects })
      break
    case "ticket":
      ticket(task, evidence, unless)
  }
  return broken
}

function ticket({ order: { id }, told, tries }: Task, evidence: Evidence, unless: Unless): void {
  const seatsOf = (id: string): string[] =>
    evidence.effects.filter((one) => one.id === id && one.via.endsWith("seat")).map(({ via }) => via)
  const both = [seatsOf(id), seatsOf(besideOf(id))]
  const printed = count(evidence, "print", id)
  const isWhole = both.every((seats) => seats.at(-1) === "seat") && printed > 0
  const isTakenBack = both.every((seats) => seats.at(-1) !== "seat")
  const story = `seats ${both[0]!.join(", ")}; beside ${both[1]!.join(", ")}; printed ${printed} times`
  for (const seats of both)
    unless(
      seats.every((via, i) => via === (i % 2 === 0 ? "seat" : "unseat")),
      story,
    )
  unless(isWhole || isTakenBack || parkedFor(evidence, "ticket", id), `neither whole nor taken back: ${story}`)
  // Begun anew by its caller, after it was wholly undone, it prints anew: what is printed cannot be taken back.
  unless(printed <= tries, `asked for ${tries} times: ${story}`)
  unless(told !== "done" || isWhole, `acknowledged, and not whole: ${story}`)
}

type Unless = (holds: boolean, what: string) => void

interface CheckoutFacts {
  readonly n: (via: string) => number
  readonly ledger: number
  readonly unless: Unless
  readonly effects: readonly Effect[]
}

/** Wholly taken back as often as its caller has begun it anew, in the reverse order; then done, or not. */
const ROUNDS = /^(reserve (pack unpack )?release )*(reserve pack charge )?$/

function checkout({ told, order }: Task, { n, ledger, unless, effects }: CheckoutFacts): void {
  const story = effects.filter(({ via, id }) => id === order.id && via !== "thank").map(({ via }) => `${via} `)
  const isDone = story.includes("charge ")
  const whole = `${story.join("")}thank ${n("thank")}, booked ${ledger}`
  unless(ROUNDS.test(story.join("")), `neither done nor undone: ${whole}`)
  unless(n("thank") === (isDone ? 1 : 0) && ledger === n("thank"), `not done to its end: ${whole}`)
  unless(told !== "done" || isDone, `acknowledged, and not done: ${whole}`)
  unless(told !== "declined" || !isDone, `declined, and done: ${whole}`)
}

/** Messages of a customer in the order in which they were committed; deferred writes in that in which they were acknowledged. */
function ordered({ db, tasks, effects }: Evidence): string[] {
  const broken: string[] = []
  const committed = db.rows("select id, customer from orders order by rowid")
  const acknowledged = tasks.filter(({ asks, told }) => asks === "later" && told !== null).map(({ order }) => order)
  const see = (via: string, orders: readonly { id?: string; customer?: string }[]): void => {
    for (const customer of new Set(orders.map((order) => order.customer))) {
      const wanted = orders.filter((order) => order.customer === customer).map(({ id }) => id)
      const seen = effects.filter((effect) => effect.via === via && wanted.includes(effect.id)).map(({ id }) => id)
      if (seen.join() !== wanted.filter((id) => seen.includes(id!)).join())
        broken.push(`${via} of ${customer} came as ${seen.join(", ")} instead of ${wanted.join(", ")}`)
    }
  }
  see("ship", committed)
  see("later", acknowledged)
  return broken
}
