import { timingSafeEqual } from "node:crypto"
import { systemRandom } from "../base/random.ts"
import type { Authenticate, Authenticator, AuthenticatorHost, Principal, RequestHead } from "../contract/principal.ts"
import { digestOfKey, idOfKey, isKeyText, KEY_PREFIX, type KeyRecord, works } from "./key-record.ts"
import { type KeyStore, openKeyStore } from "./key-store.ts"

/** Where keys are looked for. */
export interface ApiKeyOptions {
  /** The only header field in which a key is looked for. Default: `Authorization: Bearer`, and `X-Api-Key`. */
  readonly header?: string
}

/**
 * Proves callers by the API keys that `trestle keys create` makes.
 *
 * Takes `Authorization: Bearer trs_...` or `X-Api-Key: trs_...`, or only the given header. A bearer token that does not begin with
 * `trs_` is another authenticator's. Malformed, unknown, wrong, expired and revoked keys are all just `"bad"`, and so are two different
 * keys in one request. Whatever else stands in `X-Api-Key` or in the given header is a bad key too.
 *
 * The principal has the kind `key`, and the key's roles and permissions; its id is what the key was made for, else `key:<name>`; its
 * credential is the key's public id, so that answers kept for a key go with that key.
 *
 * @throws {TrestleError} `UNAVAILABLE`, at the start or per request, while the key file cannot be read.
 */
export function apiKeys(options: ApiKeyOptions = {}): Authenticator {
  const { header } = options
  return {
    kind: "api-keys",
    scheme:
      header === undefined || isAuthorization(header)
        ? { type: "http", scheme: "bearer", bearerFormat: "trs_..." }
        : { type: "apiKey", in: "header", name: header },
    open: (host) => {
      const store = openKeyStore({ folder: host.folder, now: host.now, random: systemRandom })
      reportEnds(store, host)
      return authenticateKeys(store, host.now, options)
    },
  }
}

/**
 * What `apiKeys` does once its store is open.
 *
 * @param now Milliseconds since 1970.
 */
export function authenticateKeys(store: KeyStore, now: () => number, options: ApiKeyOptions = {}): Authenticate {
  return Object.assign(readingKeys(keyCheck(store, now), options), { resolve: (who: Principal) => ownerNow(store, now(), who) })
}

function readingKeys(check: (text: string) => Principal | "bad", options: ApiKeyOptions): (head: RequestHead) => Principal | null | "bad" {
  const name = options.header?.toLowerCase()
  if (name !== undefined && !isAuthorization(name)) {
    return ({ headers }) => {
      const text = headers[name]
      return text === undefined ? null : check(text)
    }
  }
  return ({ headers }) => {
    const bearer = bearerKey(headers.authorization)
    const plain = name === undefined ? headers["x-api-key"] : undefined
    if (bearer === undefined) return plain === undefined ? null : check(plain)
    // Which of two keys speaks must never depend on who reads the request.
    return plain === undefined || plain === bearer ? check(bearer) : "bad"
  }
}

/**
 * The principal as its keys say it now: by the key that it used then, else, for keys are changed, by the newest of its keys that works.
 * @throws {TrestleError} `UNAVAILABLE` while the keys cannot be read.
 */
function ownerNow(store: KeyStore, at: number, who: Principal): Principal | null | "ended" {
  if (who.kind !== "key") return null
  const own = store.list().filter((record) => ownerOf(record).id === who.id)
  if (own.length === 0) return null
  const working = own.filter((record) => works(record, at))
  const record = working.find(({ id }) => id === who.credential) ?? working.at(-1)
  return record ? principalOf(record) : "ended"
}

/** What a key has proved before, kept with its record: nothing is built anew for each request. A changed file brings new records. */
interface Known {
  /** The digits of `KeyRecord.hash`, as bytes. */
  readonly digest: Buffer
  readonly principal: Principal
}

/** Compared with when there is no such key, so that an unknown id takes as long as a wrong secret. */
const NO_DIGEST = Buffer.alloc(64)

function keyCheck(store: KeyStore, now: () => number): (text: string) => Principal | "bad" {
  const known = new WeakMap<KeyRecord, Known>()
  // One for all requests: it is filled and compared without a break in between.
  const given = Buffer.alloc(64)
  return (text) => {
    if (!isKeyText(text)) return "bad"
    const record = store.find(idOfKey(text))
    let entry = record && known.get(record)
    if (record && !entry) {
      entry = { digest: Buffer.from(record.hash, "latin1"), principal: principalOf(record) }
      known.set(record, entry)
    }
    given.write(digestOfKey(text), "latin1")
    const isSame = timingSafeEqual(given, entry?.digest ?? NO_DIGEST)
    return isSame && record && entry && works(record, now()) ? entry.principal : "bad"
  }
}

/** Frozen, because all requests with this key share it. */
function principalOf(record: KeyRecord): Principal {
  return Object.freeze({
    ...ownerOf(record),
    roles: Object.freeze([...record.roles]),
    permissions: Object.freeze([...record.permissions]),
  })
}

function ownerOf({ id, name, principalId }: KeyRecord): { id: string; kind: "key"; credential: string } {
  return { id: principalId ?? `key:${name}`, kind: "key", credential: id }
}

/**
 * Tells the application of every key that has been revoked, has expired or is no longer in the file: those that had ended before the start
 * at once, so that what was kept for them is gone before anybody is answered; the others about a second after their end.
 */
export function reportEnds(store: KeyStore, { now, revoked, watch }: Pick<AuthenticatorHost, "now" | "revoked" | "watch">): void {
  const working = new Map<string, KeyRecord>()
  const ended = new Set<string>()
  const look = (): void => {
    const at = now()
    const records = recordsOf(store)
    if (records === null) return
    const listed = new Map(records.map((record) => [record.id, record]))
    for (const record of working.values()) if (!listed.has(record.id)) listed.set(record.id, { ...record, revokedAt: at })
    for (const record of listed.values()) {
      if (works(record, at)) working.set(record.id, record)
      else end(record)
    }
  }
  // One that came and went between two looks has ended too.
  const end = (record: KeyRecord): void => {
    working.delete(record.id)
    if (ended.has(record.id)) return
    ended.add(record.id)
    revoked(ownerOf(record))
  }
  look()
  watch(look)
}

/** While they cannot be read nobody gets in, and nothing can be said of their ends. */
function recordsOf(store: KeyStore): readonly KeyRecord[] | null {
  try {
    return store.list()
  } catch {
    return null
  }
}

const BEARER = /^bearer +/i

/** The bearer token, where it is one of ours. Source: RFC 6750, section 2.1; the scheme's name is without case. */
function bearerKey(authorization: string | undefined): string | undefined {
  const scheme = authorization === undefined ? null : BEARER.exec(authorization)
  if (!scheme || !authorization!.startsWith(KEY_PREFIX, scheme[0].length)) return undefined
  return authorization!.slice(scheme[0].length)
}

function isAuthorization(header: string): boolean {
  return header.toLowerCase() === "authorization"
}
