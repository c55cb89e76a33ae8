import { type Answer, type Backend, backend, type Memory, NOTHING_KEPT, type Rescue, type Site } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import { isDenial, mayFallBack } from "../contract/failure.ts"
import { TrestleError } from "../errors/trestle-error.ts"

/**
 * Asks the first; when it fails, the next. A real answer of the first, "not found" and declared errors included, is never replaced.
 * A read falls back after any failure; a write only after one where nothing can have happened, and only to a service that is declared
 * `replicaOf` the first. The result then says `degraded`, and why. A `lastGood` among them remembers what those before it answered.
 */
export function fallback<V, O, E extends string = never>(first: Backend<V, O, E>, ...then: Backend<V, O, E>[]): Backend<V, O, E> {
  const parts = [first, ...then]
  return backend("fallback", {
    parts,
    fallsBack: true,
    mistakes: parts.slice(0, -1).some(({ plan }) => plan.bindLast) ? ["defer() must be its last part"] : [],
    bind: (site) => (site.effect === "write" ? orAtOne(parts, site, inOrder(parts, site)) : inOrder(parts, site)),
  })
}

function inOrder(parts: Alternatives, site: Site): Answer {
  const [first, ...others] = parts.slice(0, -1)
  const last = parts.at(-1)!.plan.bindLast
  if (last && first) return last(site, parts.slice(0, -1), site.bind(others.length === 0 ? first : fallback(first, ...others)))
  const steps = parts.map((part) => {
    const memory = part.plan.bindMemory?.(site) ?? null
    return { memory, answer: memory ? (input: unknown, call: CallContext) => memory.recall(input, call) : site.bind(part) }
  })
  const all = { steps, site: steps.some(({ memory }) => memory) ? site : null }
  if (all.site) return (input, call) => inTurn(0, undefined, new Asked(all, input, call))
  return rescued(steps[0]!.answer, async (failure, input, call) => {
    if (call.stopped || !mayFallBack(failure, call.effect)) throw failure
    return inTurn(1, failure, new Asked(all, input, call))
  })
}

/**
 * An undo goes to the service that has served what it takes back: others may know nothing of it yet. When that service fails, so does the
 * undo, which its flow tries again; kept for later it could be sent to any of them.
 */
function orAtOne(parts: Alternatives, site: Site, anywhere: Answer): Answer {
  const alone = new Map<string, Answer>()
  for (const part of parts) for (const name of servicesIn(part)) if (!alone.has(name)) alone.set(name, site.bind(part))
  if (alone.size < 2) return anywhere
  return (input, call) => {
    const there = call.onlyAt === undefined ? undefined : alone.get(call.onlyAt)
    return (there ?? anywhere)(input, call)
  }
}

function servicesIn({ plan }: Backend<any, any, any>): readonly string[] {
  const own = plan.service === undefined ? [] : [plan.service.name]
  return [...own, ...(plan.parts ?? []).flatMap(servicesIn)]
}

type Alternatives = readonly Backend<any, any, any>[]

/** Where nothing is remembered, a good answer of the first costs nothing, or one promise where the first does not offer that. */
function rescued(answer: Answer, rescue: Rescue): Answer {
  if (answer.rescuedBy) return answer.rescuedBy(rescue)
  return (input, call) => {
    const failed = (failure: unknown): Promise<unknown> => rescue(failure, input, call)
    try {
      const given = answer(input, call)
      return given instanceof Promise ? given.then(undefined, failed) : given
    } catch (failure) {
      return failed(failure)
    }
  }
}

/** One part, bound; `memory` where it remembers what those before it answered. */
interface Step {
  readonly answer: Answer
  readonly memory: Memory | null
}

/** All parts, bound; `site` where some of them remember. */
interface Steps {
  readonly steps: readonly Step[]
  readonly site: Site | null
}

/** One call that has come to a fallback. */
class Asked {
  readonly steps: readonly Step[]
  readonly site: Site | null
  readonly input: unknown
  readonly call: CallContext
  readonly revocations: number

  constructor({ steps, site }: Steps, input: unknown, call: CallContext) {
    this.steps = steps
    this.site = site
    this.input = input
    this.call = call
    this.revocations = site === null ? 0 : site.keeping.revocations
  }
}

/** @param failure of the part before `from`, where there is one */
async function inTurn(from: number, failure: unknown, asked: Asked): Promise<unknown> {
  const { steps, site, input, call, revocations } = asked
  let why = from === 0 ? "" : reasonOf(failure)
  for (let i = from; i < steps.length; i++) {
    try {
      const answer = await steps[i]!.answer(input, call)
      if (answer === NOTHING_KEPT) continue
      for (let later = i + 1; later < steps.length; later++) steps[later]!.memory?.hear(input, call, answer, revocations)
      if (i > 0) call.noteDegraded(why)
      return answer
    } catch (error) {
      if (call.stopped || !mayFallBack(error, call.effect)) {
        if (site !== null && isDenial(error, site.errors)) for (const { memory } of steps) memory?.deny(input, call)
        throw error
      }
      failure = error
      why = reasonOf(error)
    }
  }
  throw failure
}

function reasonOf(error: unknown): string {
  if (!TrestleError.is(error)) return "it threw"
  return error.note ?? error.reason ?? error.code
}
