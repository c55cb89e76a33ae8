import { isReference, type Ref, type References } from "../../contract/reference.ts"

/** What proves us to a service; always by reference, never by value. */
export interface OutboundAuth {
  readonly kind: string
  readonly references: readonly Ref[]
  /** Header fields for one request, from the credentials' present values. */
  headers(references: References): Record<string, string>
}

/** `Authorization: Bearer <token>`. Source: RFC 6750. */
export function bearer(token: Ref): OutboundAuth {
  return {
    kind: "bearer",
    references: [token],
    headers: (references) => ({ authorization: `Bearer ${references.read(token)}` }),
  }
}

/** `Authorization: Basic <user:password>`, UTF-8. Source: RFC 7617. */
export function basic(user: Ref | string, password: Ref): OutboundAuth {
  return {
    kind: "basic",
    references: [user, password].filter(isReference),
    headers: (references) => {
      const pair = `${references.read(user)}:${references.read(password)}`
      return { authorization: `Basic ${Buffer.from(pair, "utf8").toString("base64")}` }
    },
  }
}

/** A key in a header of the service's choice. Default header: `x-api-key`. */
export function apiKey(key: Ref, options: { header?: string } = {}): OutboundAuth {
  const header = (options.header ?? "x-api-key").toLowerCase()
  return {
    kind: "api-key",
    references: [key],
    headers: (references) => ({ [header]: references.read(key) }),
  }
}
