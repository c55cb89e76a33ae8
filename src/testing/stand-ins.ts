import type { StartOverrides } from "../assembly/start.ts"
import type { Environment } from "../config/environment.ts"
import type { CallRecord } from "../contract/ports.ts"
import { isReference, type References } from "../contract/reference.ts"
import type { Log } from "../telemetry/call-log.ts"

/** Reads no file and no variable of the process. */
export const testEnvironment: Environment = {
  name: "test",
  folder: "(none)",
  sources: [],
  findings: [],
  get: () => undefined,
  names: () => [],
}

/** For a start that reads nothing of this machine and leaves nothing on it. */
export const THROWAWAY = {
  environment: testEnvironment,
  isEphemeral: true,
  keptFolder: null,
  evidence: () => ({}),
} satisfies StartOverrides

const ADDRESS = /_?(URL|URI|ADDRESS|ORIGIN|ENDPOINT|HOST)$/i

/**
 * Harmless values for every reference: `env("CRM_EU_URL")` is `http://crm-eu.test`, `secret("CRM_TOKEN")` is `test-CRM_TOKEN`. What is not
 * an address and has a fallback has that. `given` comes first. A written-out address loses its path, so that the routes of `t.wire` are
 * always the declared ones.
 */
export function standInReferences(given: Readonly<Record<string, string>> = {}): References {
  return {
    read(reference) {
      if (!isReference(reference)) return withoutPath(reference as string)
      const { ref, fallback } = reference
      const own = Object.hasOwn(given, ref) ? given[ref] : undefined
      if (own !== undefined) return own
      if (ADDRESS.test(ref)) return `http://${hostOf(ref)}.test`
      return fallback ?? `test-${ref}`
    },
  }
}

function withoutPath(text: string): string {
  const url = /^https?:/i.test(text) ? URL.parse(text) : null
  return url && !url.username && !url.password ? url.origin : text
}

function hostOf(ref: string): string {
  const name = ref.replace(ADDRESS, "") || ref
  return (
    name
      .toLowerCase()
      .replaceAll("_", "-")
      .replace(/^-+|-+$/g, "") || "service"
  )
}

/** Writes nothing, and keeps what calls said of their end. */
export function rememberingLog(records: CallRecord[]): Log {
  const silent = (): void => {}
  return {
    recorder: { record: (call) => void records.push(copyOf(call)) },
    events: { info: silent, warn: silent, error: silent },
    flush: async () => {},
    close: async () => {},
  }
}

/** The engine hands in the call itself; a plain object can be compared and printed, and keeps no backend alive. */
function copyOf(call: CallRecord): CallRecord {
  const { operation, entrance, principal, meta, epoch, error, status, route, bytes, delivery, isReplayed = false } = call
  const more = { ...(bytes === undefined ? {} : { bytes }), ...(delivery ? { delivery } : {}) }
  return { operation, entrance, principal, meta, epoch, error, status, route, isReplayed, ...more }
}
