import type { Remote } from "../contract/caller.ts"
import { type ClientOptions, exchange } from "./exchange.ts"

export type { CallOptions, Repaired, ToldMeta } from "../contract/call.ts"
export type { Failure, Fn, NotExposed, Remote, Success } from "../contract/caller.ts"
export type { FileBody, FileSource } from "../contract/file-body.ts"
export type { Common } from "../errors/catalog.ts"
export type { Outcome } from "../errors/reasons.ts"
export type { Issue } from "../errors/trestle-error.ts"
export { ClientError, type ClientFailure } from "./client-error.ts"
export type { ClientOptions } from "./exchange.ts"
export type { Exposed } from "./exposed.ts"

/**
 * A typed caller of a Trestle application, for browsers and Node: `createClient<typeof app>({ url: "/api" })`, with `app` imported as a
 * type only. Without the sources of the application: `createClient<Api>({ url })`, with the declarations that `trestle client` writes.
 *
 * `api.users.create(input)` resolves with the value or rejects with a `ClientError`; `.safe` never rejects; `.detailed` adds the story
 * of the answer (`meta`), of which callers who may not see it get only `trace` and whether it is degraded: the rest is
 * then absent. Nothing is repeated and nothing is checked here: the application does both.
 *
 * A group or operation cannot be called `then` or `toJSON`, and within a group not `safe` or `detailed`.
 *
 * @throws {ClientError} a declared or common code; `UNAVAILABLE` when the network failed, `TIMEOUT` after the call's own `deadline`,
 * `CANCELLED` after its `signal`, these with the outcome `unknown` once the request was handed to `fetch`.
 */
export function createClient<A extends { readonly ops: any }>(options: ClientOptions): Remote<A["ops"]> {
  // `path` is the address of what is called, each name with a dot after it.
  const node = (path: string): any =>
    new Proxy(
      async (input: unknown, more: any) => {
        const [, url, how] = /(.+?)\.(?:(safe|detailed)\.)?$/.exec(path)!
        const made = exchange(options, url!, input, more)
        if (how === "safe")
          return made.then(
            (done) => ({ ...done, ok: true }),
            (error) => ({ ...error, ok: false }),
          )
        return how ? made : (await made).value
      },
      // With `then` every `await` of a node, with `toJSON` every JSON log of it, would be a call of the network.
      { get: (_, key) => (typeof key === "string" && key !== "then" && key !== "toJSON" ? node(`${path + key}.`) : undefined) },
    )
  return node(`${options.url}/rpc/`)
}
