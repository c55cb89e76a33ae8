import type { ToldMeta } from "../contract/call.ts"

/**
 * The story of an answer, from its header. The header tells everything only to those who may see it, and a browser hides it across
 * origins that do not expose it. What was not told is absent, and reads never as "not degraded".
 */
export function metaOf(told: any): ToldMeta {
  return {
    trace: "",
    ...told,
    // A bare `true`, or nothing, adds no members.
    degraded: told?.degraded !== false && { why: "withheld", ...told?.degraded },
  }
}

/** `undefined` for what is no JSON; the engine's own message would quote the text. */
export function parse(text: string | null): any {
  try {
    return JSON.parse(text!)
  } catch {}
}
