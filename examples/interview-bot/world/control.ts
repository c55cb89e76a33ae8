import { type Mode, modes, type Service, services } from "./modes.ts"
import { type Answer, objectIn, type Site } from "./site.ts"

export type Controls = {
  fail: (service: Service, mode: Mode) => Promise<{ service: Service; mode: Mode; note: string }>
  seen: () => unknown
}

/** The hidden lever of the demo: breaks the services on demand, and shows what really reached them. */
export function controlSite({ fail, seen }: Controls): Site {
  return {
    error: (status, _code, text) => ({ status, body: { error: text } }),
    routes: [
      { method: "POST", path: "/_demo/fail", answer: (asked) => failAs(fail, asked.text) },
      { method: "GET", path: "/_demo/people", answer: () => ({ status: 200, body: seen() }) },
    ],
  }
}

async function failAs(fail: Controls["fail"], text: string): Promise<Answer> {
  const body = objectIn(text)
  if (!body) return refused("The body must be a JSON object with service and mode.")
  if (!isOneOf(services, body.service)) return refused(`service must be one of: ${services.join(", ")}.`)
  if (!isOneOf(modes, body.mode)) return refused(`mode must be one of: ${modes.join(", ")}.`)
  return { status: 200, body: await fail(body.service, body.mode) }
}

function refused(error: string): Answer {
  return { status: 400, body: { error } }
}

function isOneOf<T>(allowed: readonly T[], value: unknown): value is T {
  return allowed.includes(value as T)
}
