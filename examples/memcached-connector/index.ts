// A connector that Trestle does not have: memcached. It uses the door `trestle/connector` and nothing else of the house.
import {
  type Backend,
  backend,
  callerPlace,
  type HasService,
  isReference,
  type Policy,
  policyMistakes,
  type Ref,
  type Service,
} from "trestle/connector"
import { bindCommand, type Command } from "./command.ts"
import { MemcachedConnection } from "./connection.ts"

export interface MemcachedOptions {
  /** `host:port`. */
  address: Ref | string
  /** `user password`, for a server that was started with `--auth-file`. */
  login?: Ref
  policy?: Policy
  /** For logs and `servedBy`. Default `"memcached"`. */
  name?: string
}

export interface Entry {
  readonly key: string
  readonly text: string
  /** Default: it does not expire. */
  readonly expiresInSeconds?: number
}

export interface Memcached extends HasService {
  /** The text under a key, as `{ text }`. Nothing there: `NOT_FOUND`. */
  get<V, O, E extends string = never>(key: (input: V) => string): Backend<V, O, E>
  /** Stores, whatever was there before. */
  set<V, O, E extends string = never>(entry: (input: V) => Entry): Backend<V, O, E>
  /** Stores where nothing was before. Something there: `CONFLICT`. */
  add<V, O, E extends string = never>(entry: (input: V) => Entry): Backend<V, O, E>
}

/** Declares a memcached server. Opens nothing. */
export function memcached(options: MemcachedOptions): Memcached {
  const { address, login, policy, name = "memcached" } = options
  const service: Service = {
    kind: "memcached",
    name,
    at: callerPlace(memcached),
    references: [address, login].filter(isReference),
    policy,
    replicaOf: undefined,
    mistakes: policyMistakes(policy ?? {}),
    isProbed: true,
    open: ({ references }) => new MemcachedConnection(name, references.read(address), () => login && references.read(login)),
  }
  const make = (command: Command): Backend<any, any, any> =>
    backend("memcached", { service, bind: (site) => bindCommand(service, command, site) })
  return {
    "~service": service,
    get: (key) => make({ verb: "get", entry: (input) => ({ key: key(input), text: "" }) }),
    set: (entry) => make({ verb: "set", entry }),
    add: (entry) => make({ verb: "add", entry }),
  }
}
